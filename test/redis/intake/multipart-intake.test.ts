import { describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../../src/errors.ts';
import { originalKey } from '../../../src/storage/keys.ts';
import type { IntakeParts } from '../../../src/intake/incoming-upload.ts';
import { receiveMultipart, type IntakeLimits } from '../../../src/intake/multipart-intake.ts';
import { overriding } from '../../helpers/overriding.ts';
import {
  codeOf,
  fakeRequest,
  FORM_HEADERS,
  formBody,
  type FormPart,
  jpegBytes,
  wholeRequest,
} from '../../helpers/fake-request.ts';
import { type IntakeSpace, useIntake, readsOf, SCOPE } from '../../helpers/intake-space.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';

let space: IntakeSpace;

useIntake('test', (opened) => (space = opened));

const LIMITS: IntakeLimits = {
  maxFiles: 4,
  maxFields: 5,
  maxFieldBytes: 1000,
  maxRequestBytes: 5_000_000,
  maxFileBytes: 20_000,
};

async function take(request: IncomingMessage, signal = new AbortController().signal, parts: IntakeParts = space.parts) {
  return (await readsOf(parts, await receiveMultipart(parts, SCOPE, { request, limits: LIMITS, signal }))).map(
    ({ record }) => record,
  );
}

function form(...parts: readonly FormPart[]): IncomingMessage {
  return wholeRequest(FORM_HEADERS, formBody(...parts));
}

const photo = (name: string, length = 6000): FormPart => ({ name: 'file', fileName: name, bytes: jpegBytes(length) });
const words = (name: string): FormPart => ({ name: 'file', fileName: name, bytes: 'only words' });

/** Returns the keys of all records, in any state. */
async function recordKeys(): Promise<string[]> {
  return await space.connection.keys(space.keys.record('*'));
}

async function expectNothingLeft(): Promise<void> {
  const { waiting, due } = space.keys;
  const members = await Promise.all([waiting, due].map((set) => space.connection.zrange(set, '0', '-1')));
  expect([space.files(), space.queued, await recordKeys(), ...members]).toEqual([[], [], [], [], []]);
}

describe('a form', () => {
  test('has its files queued in the order sent', async () => {
    const records = await take(form(photo('1.jpg'), photo('2.jpg', 20_000), photo('../3.jpg', 100)));
    expect(records.map(({ fileName, state, receivedBytes }) => [fileName, state, receivedBytes])).toEqual([
      ['1.jpg', 'queued', 6000],
      ['2.jpg', 'queued', 20_000],
      ['3.jpg', 'queued', 100],
    ]);
    expect(space.queued).toEqual(records.map(({ id }) => id));
    expect(space.files()).toHaveLength(6);
  });

  test('has none of its files queued before its body is complete', async () => {
    const { request, send, end } = fakeRequest(FORM_HEADERS);
    const taking = take(request);
    const body = formBody(photo('1.jpg'));
    send(body.subarray(0, -4));
    await turnsUntil('a file', () => space.files().length > 0);
    expect(space.queued).toEqual([]);
    const [key = ''] = await recordKeys();
    expect(await space.connection.hget(key, 'state')).toBe('receiving');
    send(body.subarray(-4));
    end();
    expect((await taking).map(({ state }) => state)).toEqual(['queued']);
  });

  test('may have fields of any name, and empty file inputs', async () => {
    const records = await take(
      form({ name: 'send', bytes: 'Send' }, { name: 'file', fileName: '', bytes: '' }, photo('a.jpg'), {
        name: 'after',
        bytes: '1',
      }),
    );
    expect(records).toHaveLength(1);
  });

  test('has its options before its files', async () => {
    expect(await take(form({ name: 'options', bytes: '{}' }, photo('a.jpg')))).toMatchObject([
      { state: 'queued', options: {} },
    ]);
  });

  test.each([
    ['after its files', [photo('a.jpg'), { name: 'options', bytes: '{}' }]],
    ['in two fields', [{ name: 'options', bytes: '{}' }, { name: 'options', bytes: '{}' }, photo('a.jpg')]],
    ['that are not JSON', [{ name: 'options', bytes: '{' }, photo('a.jpg')]],
  ])('with options %s is rejected as a whole', async (_how, parts) => {
    expect(await codeOf(take(form(...parts)))).toBe('bad_options');
    await expectNothingLeft();
  });

  test.each([
    ['no part', []],
    ['only fields', [{ name: 'options', bytes: '{}' }]],
    ['an empty file input', [{ name: 'file', fileName: '', bytes: '' }]],
  ])('with %s gets no_file', async (_what, parts) => {
    expect(await codeOf(take(form(...parts)))).toBe('no_file');
    await expectNothingLeft();
  });
});

describe('a rejected file', () => {
  test('is in the answer as failed, and does not affect the other files', async () => {
    const records = await take(
      form(photo('1.jpg'), words('2.jpg'), photo('big.jpg', 20_001), { name: 'f', fileName: 'empty.jpg', bytes: '' }),
    );
    expect(records.map(({ state, error }) => [state, error?.code])).toEqual([
      ['queued', undefined],
      ['failed', 'unsupported_media_type'],
      ['failed', 'file_too_large'],
      ['failed', 'empty_file'],
    ]);
    const [first] = records;
    expect([space.queued, space.files().filter((path) => path.endsWith('.original'))]).toEqual([
      [first?.id],
      [originalKey(first?.id ?? '', first?.fencingToken ?? '')],
    ]);
  });

  test('that is too large has the rest of its part skipped, and the next file is accepted', async () => {
    const records = await take(form(photo('big.jpg', 300_000), photo('2.jpg')));
    expect(records.map(({ state, receivedBytes }) => [state, receivedBytes <= 20_000 || state])).toEqual([
      ['failed', true],
      ['queued', true],
    ]);
  });

  test.each([
    ['type', words('1.jpg')],
    ['size', photo('1.jpg')],
  ])('with a wrong %s has the rest of its bytes skipped without buffering', async (_why, part) => {
    const { request, send, end } = fakeRequest(FORM_HEADERS);
    const taking = take(request);
    const bytes = Buffer.concat([Buffer.from(part.bytes), Buffer.alloc(3_000_000, 'and so on ')]);
    const body = formBody({ ...part, bytes }, photo('2.jpg'));
    for (let at = 0; at < body.length; at += 65_536) {
      send(body.subarray(at, at + 65_536));
      await turn();
    }
    end();
    expect((await taking).map(({ state }) => state)).toEqual(['failed', 'queued']);
  });

  test('gives the answer its error if all files are rejected, and only the first record is kept', async () => {
    await expect(take(form(words('1.jpg'), photo('big.jpg', 20_001)))).rejects.toMatchObject({
      code: 'unsupported_media_type',
      id: expect.any(String) as unknown,
    });
    const states = await Promise.all((await recordKeys()).map((key) => space.connection.hget(key, 'state')));
    expect([states, space.files(), space.queued]).toEqual([['failed'], [], []]);
  });
});

describe('a form that fails as a whole leaves nothing', () => {
  test.each([
    ['too_many_files', [1, 2, 3, 4, 5].map((name) => photo(`${name}.jpg`))],
    ['too_many_fields', [photo('1.jpg'), ...[1, 2, 3, 4, 5, 6].map((name) => ({ name: String(name), bytes: '' }))]],
  ])('if it has %s', async (code, parts) => {
    expect(await codeOf(take(form(...parts)))).toBe(code);
    await expectNothingLeft();
  });

  test('if its body is cut in the second file, in any chunks', async () => {
    const whole = formBody(photo('1.jpg'), photo('2.jpg', 20_000));
    const cut = whole.subarray(0, whole.length - 3000);
    expect(await codeOf(take(wholeRequest(FORM_HEADERS, cut)))).toBe('body_cut_short');
    await expectNothingLeft();
    const { request, send, end } = fakeRequest(FORM_HEADERS);
    const taking = codeOf(take(request));
    send(cut);
    await turnsUntil('the second file', () => space.files().length >= 3);
    end();
    expect(await taking).toBe('body_cut_short');
    await expectNothingLeft();
  });

  test('if its client disconnects in the second file', async () => {
    const whole = formBody(photo('1.jpg'), photo('2.jpg', 20_000));
    const { request, send, breakOff } = fakeRequest(FORM_HEADERS);
    const taking = codeOf(take(request));
    send(whole.subarray(0, -3000));
    await turnsUntil('the second file', () => space.files().length >= 3);
    breakOff();
    expect(await taking).toBe('upload_interrupted');
    await expectNothingLeft();
  });

  test('if the signal fires', async () => {
    const controller = new AbortController();
    const { request, send } = fakeRequest(FORM_HEADERS);
    const taking = codeOf(take(request, controller.signal));
    send(formBody(photo('1.jpg'), photo('2.jpg', 20_000)).subarray(0, -3000));
    await turnsUntil('the second file', () => space.files().length >= 3);
    controller.abort(new ServiceError('upload_too_slow', 'Slow.'));
    expect(await taking).toBe('upload_too_slow');
    await expectNothingLeft();
  });

  test('if one file cannot be removed: the others are, and the first reason is returned', async () => {
    const { storage } = space.parts;
    let failures = 1;
    const stubborn = overriding(storage, {
      async remove(key) {
        if (failures-- > 0) throw new Error('the disk is busy');
        await storage.remove(key);
      },
    });
    const parts: IntakeParts = { ...space.parts, storage: stubborn };
    const code = await codeOf(
      take(form(photo('1.jpg'), photo('2.jpg'), { name: 'options', bytes: '{}' }), undefined, parts),
    );
    expect(code).toBe('bad_options');
    expect(failures).toBeLessThan(0);
    expect(space.files().filter((path) => path.endsWith('.original'))).toHaveLength(1);
  });
});
