import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { Caller, TenantLimits } from '../../../src/access/caller.ts';
import { UploadIntake } from '../../../src/intake/intake.ts';
import type { IntakeParts } from '../../../src/intake/incoming-upload.ts';
import { UploadSets } from '../../../src/queue/upload-sets.ts';
import type { ChangeOutcome } from '../../../src/record/change-outcome.ts';
import { manifestKey, originalKey, uploadPrefix } from '../../../src/storage/keys.ts';
import { putObject, type SmallObject, type WholeObject } from '../../../src/storage/storage.ts';
import { newestManifest } from '../../../src/storage/manifest.ts';
import {
  codeOf,
  fakeRequest,
  FORM_HEADERS,
  formBody,
  freshId,
  jpegBytes,
  wholeRequest,
  type FormPart,
} from '../../helpers/fake-request.ts';
import { INTAKE_SETTINGS, openIntakeSpace, readsOf, SCOPE, type IntakeSpace } from '../../helpers/intake-space.ts';
import { overriding } from '../../helpers/overriding.ts';
import { applied, RESULT } from '../../helpers/record-space.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';
import { callerOf, sumOfRecords, ticketFor, useOf } from '../../helpers/tenant-use.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';

const BYTES = jpegBytes();

let space: IntakeSpace;
let scripts: string[];
let accepted: ChangeOutcome | undefined;
let parts: IntakeParts;

beforeEach(async () => {
  space = await openIntakeSpace(await sharedRedis(), { capacity: 2 });
  scripts = [];
  const { records } = space.parts;
  parts = {
    ...space.parts,
    records: overriding(records, {
      async open(...args) {
        scripts.push('open');
        return await records.open(...args);
      },
      async accept(...args) {
        scripts.push('accept');
        accepted = await records.accept(...args);
        return accepted;
      },
      async enqueue(...args) {
        scripts.push('enqueue');
        return await records.enqueue(...args);
      },
    }),
  };
});
afterEach(async () => {
  await space.close();
});

const lengthOf = (bytes: Buffer) => ({ 'content-length': String(bytes.length) });

async function put(id: string, bytes: Buffer = BYTES, request = wholeRequest(lengthOf(bytes), bytes)) {
  const intake = new UploadIntake(parts, INTAKE_SETTINGS);
  const received = await intake.receiveRaw(SCOPE, request, { id, fileName: 'a.jpg', options: {} });
  const [read] = await readsOf(parts, [received]);
  return read?.record;
}

async function complete(id: string) {
  const attempt = applied(await space.records.begin(id)).record?.attempt ?? 0;
  applied(await space.records.complete(id, attempt, RESULT));
}

async function form(...files: readonly FormPart[]) {
  const body = formBody(...files);
  const request = wholeRequest({ ...FORM_HEADERS, ...lengthOf(body) }, body);
  const received = await new UploadIntake(parts, INTAKE_SETTINGS).receiveForm(SCOPE, request);
  return (await readsOf(parts, received)).map(({ record }) => record);
}

const photo = (name: string): FormPart => ({ name: 'file', fileName: name, bytes: BYTES });

describe('a small file that arrives at once', () => {
  test('is queued with one change of its record, whose manifest says the same', async () => {
    const id = freshId();
    const record = await put(id);
    expect(record).toMatchObject({ state: 'queued', version: 1, stored: true, receivedBytes: BYTES.length });
    expect([scripts, space.permits]).toEqual([['accept'], ['other']]);
    const token = record?.fencingToken ?? '';
    expect(space.files()).toEqual([manifestKey(id, token), originalKey(id, token)]);
    const manifest = await newestManifest(space.storage, id);
    const createdAt = new Date(record?.createdAtMs ?? 0).toISOString();
    const { publicId, sha256 } = record ?? {};
    expect(manifest).toMatchObject({ id, publicId, sha256, createdAt, sequence: 1, fencingToken: token });
  });

  test('of a form is queued in one step, after the files before it', async () => {
    const records = await form(photo('1.jpg'), photo('2.jpg'));
    expect(records.map(({ fileName, state }) => [fileName, state])).toEqual([
      ['1.jpg', 'queued'],
      ['2.jpg', 'queued'],
    ]);
    expect(scripts).toEqual(['open', 'enqueue', 'accept']);
  });

  test('has the same record in the answer of the script and in Redis', async () => {
    const id = freshId();
    await put(id);
    expect(accepted?.record).toEqual((await space.records.read(id))?.record);
  });

  test('is announced by an event only if its client has chosen the id', async () => {
    const id = freshId();
    await put(id);
    await form(photo('1.jpg'));
    const entries = await space.connection.xrange(space.keys.events, '-', '+');
    expect(entries.map(([, fields]) => fields[fields.indexOf('jobId') + 1])).toEqual([id]);
  });

  test('is the same upload if it is sent again, and leaves no other files', async () => {
    const id = freshId();
    const first = await put(id);
    const second = await put(id);
    expect([second?.publicId, second?.version]).toEqual([first?.publicId, 1]);
    expect(space.files()).toHaveLength(2);
    expect(space.permits).toHaveLength(1);
  });

  test('leaves its files to the janitor if it is sent again and they cannot be removed', async () => {
    const [ended, queued] = [freshId(), freshId()];
    for (const id of [ended, queued]) await put(id);
    await complete(ended);
    const remove = async () => await Promise.reject<never>(new Error('storage away'));
    parts = { ...parts, storage: overriding(parts.storage, { remove }) };
    for (const id of [ended, queued]) await expect(put(id)).rejects.toThrow('storage away');
    const sets = new UploadSets(space.connection, space.keys);
    expect((await sets.due(9)).ids).toEqual([ended]);
    await complete(queued);
    expect((await sets.due(9)).ids.sort()).toEqual([ended, queued].sort());
  });

  test('makes its upload due for the janitor when final if an earlier request may have left files', async () => {
    const storePair = async (object: WholeObject, companion: SmallObject) => {
      await putObject(space.storage, object.key, Buffer.concat(object.chunks));
      await putObject(space.storage, companion.key, companion.bytes);
      return true;
    };
    parts = { ...parts, storage: overriding(parts.storage, { storePair }) };
    const [id, sets] = [freshId(), new UploadSets(space.connection, space.keys)];
    expect(await put(id)).toEqual((await space.records.read(id))?.record);
    await complete(id);
    expect((await sets.due(9)).ids).toEqual([id]);
  });

  test('conflicts with other bytes under its id (409), and leaves nothing of them', async () => {
    const id = freshId();
    await put(id);
    expect(await codeOf(put(id, jpegBytes(7000)))).toBe('upload_conflict');
    expect(space.files()).toHaveLength(2);
  });

  test('takes over from a request that still receives its id', async () => {
    const id = freshId();
    const { request, send } = fakeRequest(lengthOf(BYTES));
    const first = codeOf(put(id, BYTES, request));
    send(BYTES.subarray(0, 5000));
    await turnsUntil('its record', () => scripts.includes('open'));
    await turnsUntil('a file', () => space.files().length > 0);
    expect(await put(id)).toMatchObject({ state: 'queued' });
    request.destroy();
    await first;
    expect(scripts).toEqual(['open', 'accept', 'open', 'enqueue']);
  });

  test('cannot use the id of a deleted upload (410), and leaves nothing', async () => {
    const id = freshId();
    await put(id);
    await space.records.delete(id);
    await space.storage.removeAll(uploadPrefix(id));
    expect(await codeOf(put(id))).toBe('upload_gone');
    expect(space.files()).toEqual([]);
  });

  test('of an unknown type fails with a record that says why (415)', async () => {
    const id = freshId();
    expect(await codeOf(put(id, Buffer.from('only words')))).toBe('unsupported_media_type');
    expect((await space.records.read(id))?.record).toMatchObject({ state: 'failed' });
    expect(space.files()).toEqual([]);
  });

  test('is rejected if the queue is full (503), and the next one before it is stored', async () => {
    await put(freshId());
    await put(freshId());
    const files = space.files().length;
    scripts.length = 0;
    expect([await codeOf(put(freshId())), await codeOf(put(freshId()))]).toEqual(['queue_full', 'queue_full']);
    expect([space.files().length, scripts]).toEqual([files, ['accept', 'open', 'open']]);
  });

  test('keeps its files if Redis does not answer, because it may be queued', async () => {
    parts = {
      ...parts,
      records: overriding(parts.records, { accept: async () => await Promise.reject<never>(new Error('no answer')) }),
    };
    const id = freshId();
    await expect(put(id)).rejects.toThrow('no answer');
    expect(space.files()).toHaveLength(2);
  });

  test('gets its record before it is stored after Redis has not answered, so that no retry leaves a file', async () => {
    const noAnswer = async () => await Promise.reject<never>(new Error('no answer'));
    parts = { ...parts, records: overriding(parts.records, { accept: noAnswer, open: noAnswer }) };
    for (let tries = 0; tries < 3; tries += 1) await expect(put(freshId())).rejects.toThrow('no answer');
    expect(space.files()).toHaveLength(2);
  });

  test('leaves nothing if Redis rejects the command', async () => {
    const full = Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' });
    parts = { ...parts, records: overriding(parts.records, { accept: async () => await Promise.reject<never>(full) }) };
    await expect(put(freshId())).rejects.toBe(full);
    expect(space.files()).toEqual([]);
  });

  test('is queued if the reconciliation scan has restored it from its manifest first', async () => {
    const { records } = parts;
    parts = {
      ...parts,
      records: overriding(records, {
        async accept(upload, ...more) {
          const manifest = await newestManifest(space.storage, upload.id);
          if (manifest !== undefined) await space.records.restore(manifest);
          return await records.accept(upload, ...more);
        },
      }),
    };
    expect(await put(freshId())).toMatchObject({ state: 'queued' });
    expect(space.files()).toHaveLength(2);
  });
});

describe('a small file of a tenant', () => {
  const intake = () => new UploadIntake(parts, INTAKE_SETTINGS);
  const send = async (limits: TenantLimits, more: Partial<Caller> = {}) => {
    const scope = { ...SCOPE, caller: callerOf('acme', limits, more) };
    const id = freshId();
    await intake().receiveRaw(scope, wholeRequest(lengthOf(BYTES), BYTES), { id, fileName: 'a.jpg', options: {} });
    return id;
  };

  test('counts like an upload that was received first, and obeys every limit', async () => {
    const id = await send({ uploadsPerDay: 1, createPerMinute: 5 });
    expect(scripts).toEqual(['accept']);
    expect((await space.records.read(id))?.record).toMatchObject({ tenant: 'acme', limits: null });
    const use = await useOf(space, 'acme');
    expect(use).toMatchObject({ waiting: 1, receiving: 0, uploadsPerDay: 1, bytesPerDay: BYTES.length });
    expect(await sumOfRecords(space, 'acme')).toMatchObject({ waiting: 1, storedBytes: BYTES.length });
    await expect(send({ uploadsPerDay: 1 })).rejects.toMatchObject({ limit: 'uploadsPerDay' });
    expect(space.files()).toHaveLength(2);
  });

  test('has the same record in the answer of the script and in Redis', async () => {
    const limits = { types: ['image/*'], maxFileBytes: 50_000 };
    const ticket = { ...ticketFor(1), ...limits };
    const id = await send({}, { ticket, lane: 'batch', weight: 3, metadata: { album: 7 }, hasWebhooks: true });
    expect(accepted?.record).toMatchObject({ allowed: limits, appMetadata: { album: 7 }, hasWebhooks: true });
    expect(accepted?.record).toEqual((await space.records.read(id))?.record);
  });

  test('uses up a ticket', async () => {
    const limited = { ticket: ticketFor(1) };
    await send({}, limited);
    expect(await codeOf(send({}, limited))).toBe('ticket_forbids');
  });
});

describe('a file that does not arrive at once', () => {
  test('gets a record after 50 ms, which others can follow', async () => {
    const id = freshId();
    const { request, send, end } = fakeRequest(lengthOf(BYTES));
    const done = put(id, BYTES, request);
    send(BYTES.subarray(0, 5000));
    await turnsUntil('its record', () => scripts.includes('open'));
    send(BYTES.subarray(5000));
    end();
    expect(await done).toMatchObject({ state: 'queued' });
    expect(scripts).toEqual(['open', 'enqueue']);
  });

  test('of a form gets a record if the body does not end', async () => {
    const body = formBody(photo('1.jpg'));
    const { request, send, end } = fakeRequest({ ...FORM_HEADERS, ...lengthOf(body) });
    const done = new UploadIntake(parts, INTAKE_SETTINGS).receiveForm(SCOPE, request);
    send(body.subarray(0, -5));
    await turnsUntil('its record', () => scripts.includes('open'));
    await delay(0);
    send(body.subarray(-5));
    end();
    expect(await done).toHaveLength(1);
    expect(scripts).toEqual(['open', 'enqueue']);
  });
});
