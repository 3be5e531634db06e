import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '../../../src/errors.ts';
import { manifestKey, originalKey, uploadPrefix } from '../../../src/storage/keys.ts';
import { receiveRaw, type RawFile } from '../../../src/intake/raw-intake.ts';
import { readReceived } from '../../../src/intake/read-received.ts';
import { PROBLEM, RESULT } from '../../helpers/record-space.ts';
import { codeOf, fakeRequest, freshId, jpegBytes, wholeRequest } from '../../helpers/fake-request.ts';
import { type IntakeSpace, useIntake, SCOPE } from '../../helpers/intake-space.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';

let space: IntakeSpace;

useIntake('test', (opened) => (space = opened));

const BYTES = jpegBytes();

function rawFile(id: string, more: Partial<RawFile> = {}): RawFile {
  const signal = new AbortController().signal;
  return {
    id,
    fileName: 'a.jpg',
    totalBytes: BYTES.length,
    options: {},
    maxBytes: 100_000,
    signal,
    request: wholeRequest({}, BYTES),
    ...more,
  };
}

async function recordOf(id: string) {
  return (await space.records.read(id))?.record;
}

async function answerTo(parts: IntakeSpace['parts'], file: RawFile) {
  return await readReceived(parts.records, await receiveRaw(parts, SCOPE, file));
}

async function take(parts: IntakeSpace['parts'], file: RawFile) {
  return (await answerTo(parts, file)).record;
}

/** Begins a request: its record exists, and its first bytes are stored. */
async function begun(id: string) {
  const sender = fakeRequest();
  const outcome = codeOf(take(space.parts, rawFile(id, { request: sender.request })));
  sender.send(BYTES.subarray(0, 5000));
  await turnsUntil('a file', () => space.files().length > 0);
  return { ...sender, outcome };
}

describe('a raw upload', () => {
  test('is queued with its bytes and its manifest stored, and one job', async () => {
    const id = freshId();
    const record = await take(space.parts, rawFile(id));
    expect(record).toMatchObject({
      id,
      state: 'queued',
      stored: true,
      fileName: 'a.jpg',
      type: 'image/jpeg',
      receivedBytes: BYTES.length,
    });
    expect(space.files()).toEqual([manifestKey(id, record.fencingToken), originalKey(id, record.fencingToken)]);
    expect(space.queued).toEqual([id]);
  });

  test('is returned with its place in the queue, also when it is sent again', async () => {
    const id = freshId();
    await take(space.parts, rawFile(freshId()));
    expect(await answerTo(space.parts, rawFile(id))).toMatchObject({ record: { id }, queuePosition: 2 });
    expect(await answerTo(space.parts, rawFile(id))).toMatchObject({ record: { id }, queuePosition: 2 });
  });

  test('sent again with the same bytes is the same upload, without a second job', async () => {
    const id = freshId();
    const first = await take(space.parts, rawFile(id));
    expect(await take(space.parts, rawFile(id, { fileName: 'other.jpg' }))).toEqual(first);
    await space.records.begin(id);
    expect(await take(space.parts, rawFile(id))).toMatchObject({ state: 'processing', version: first.version + 1 });
    expect([space.queued, space.files().length]).toEqual([[id], 2]);
  });

  test('whose digest the worker computes is compared with the stored bytes', async () => {
    const id = freshId();
    const parts = { ...space.parts, hashes: false };
    const first = await take(parts, rawFile(id));
    expect(first.sha256).toBeNull();
    expect(await take(parts, rawFile(id))).toEqual(first);
    expect(await codeOf(take(parts, rawFile(id, { request: wholeRequest({}, jpegBytes(6000, 2)) })))).toBe(
      'upload_conflict',
    );
    expect([space.queued, space.files().length]).toEqual([[id], 2]);
  });

  test.each([
    ['longer', Buffer.concat([BYTES, Buffer.from('x')])],
    ['shorter', BYTES.subarray(0, 5999)],
    ['other', jpegBytes(6000, 2)],
    ['no', Buffer.alloc(0)],
  ])('sent again with %s bytes is a conflict, and the first upload stays', async (_how, bytes) => {
    const id = freshId();
    const first = await take(space.parts, rawFile(id));
    expect(await codeOf(take(space.parts, rawFile(id, { request: wholeRequest({}, bytes) })))).toBe('upload_conflict');
    expect(await recordOf(id)).toEqual(first);
    expect(space.files()).toHaveLength(2);
  });

  describe('with options that is sent again', () => {
    const variants = [{ name: 'a', longestSide: 20 }];
    const again = async (id: string, options: unknown) => await take(space.parts, rawFile(id, { options }));

    test('is the same upload if the options mean the same, with or without the defaults', async () => {
      const id = freshId();
      const first = await again(id, { variants });
      expect(await again(id, { gps: false, variants: [{ format: 'webp', longestSide: 20, name: 'a' }] })).toEqual(
        first,
      );
      expect(await again(id, { variants: [{ ...variants[0], quality: 80 }], keepMetadata: false })).toEqual(first);
      expect(space.queued).toEqual([id]);
    });

    test.each([
      ['other', { variants: [{ name: 'b', longestSide: 30 }] }],
      ['no', {}],
    ])('is a conflict (409) with %s options, and changes nothing', async (_how, options) => {
      const id = freshId();
      const first = await again(id, { variants });
      expect(await codeOf(again(id, options))).toBe('upload_conflict');
      expect(await recordOf(id)).toEqual(first);
    });

    test('is rejected with invalid options (400), also after completion', async () => {
      const id = freshId();
      await again(id, {});
      expect(await codeOf(again(id, { nonsense: 1 }))).toBe('bad_options');
      await space.records.begin(id);
      await space.records.complete(id, 1, RESULT);
      expect(await codeOf(again(id, { nonsense: 1 }))).toBe('bad_options');
      expect(await codeOf(again(id, { variants }))).toBe('upload_conflict');
      expect((await again(id, {})).state).toBe('completed');
    });
  });

  test('that is sent again is read no further than the first byte beyond the stored size', async () => {
    const id = freshId();
    await take(space.parts, rawFile(id));
    const endless = fakeRequest();
    const outcome = codeOf(take(space.parts, rawFile(id, { request: endless.request })));
    endless.send(BYTES, 'x');
    expect(await outcome).toBe('upload_conflict');
  });

  test('takes over from an earlier request that is still receiving, and only the later one is stored', async () => {
    const id = freshId();
    const first = await begun(id);
    const second = await take(space.parts, rawFile(id, { fileName: 'second.jpg' }));
    first.send(BYTES.subarray(5000));
    first.end();
    expect(await first.outcome).toBe('upload_superseded');
    expect(await recordOf(id)).toMatchObject({
      state: 'queued',
      fileName: 'second.jpg',
      fencingToken: second.fencingToken,
    });
    expect(space.files()).toEqual([manifestKey(id, second.fencingToken), originalKey(id, second.fencingToken)]);
    expect(space.queued).toEqual([id]);
  });

  test.each(['failed', 'cancelled'] as const)(
    'that is sent again after state %s starts without old state, and the old files are removed',
    async (state) => {
      const id = freshId();
      await take(space.parts, rawFile(id));
      await space.records.begin(id);
      if (state === 'failed') await space.records.fail(id, 1, PROBLEM);
      else await space.records.cancel(id);
      const other = jpegBytes(6000, 2);
      const second = await take(space.parts, rawFile(id, { request: wholeRequest({}, other) }));
      expect(second).toMatchObject({ state: 'queued', error: null });
      expect(space.files()).toEqual([manifestKey(id, second.fencingToken), originalKey(id, second.fencingToken)]);
      expect(space.queued).toEqual([id, id]);
    },
  );

  test('that is sent again after completion is not processed again', async () => {
    const id = freshId();
    await take(space.parts, rawFile(id));
    await space.records.begin(id);
    await space.records.complete(id, 1, RESULT);
    expect(await take(space.parts, rawFile(id))).toMatchObject({ state: 'completed' });
    expect(space.queued).toEqual([id]);
  });

  test('that is sent again after a DELETE is gone (410)', async () => {
    const id = freshId();
    await take(space.parts, rawFile(id));
    await space.records.delete(id);
    await space.storage.removeAll(uploadPrefix(id));
    expect(await codeOf(take(space.parts, rawFile(id)))).toBe('upload_gone');
    expect(space.files()).toEqual([]);
  });
});

describe('a rejected raw upload', () => {
  test.each([
    ['unsupported_media_type', { request: wholeRequest({}, 'only words') }],
    ['empty_file', { request: wholeRequest({}) }],
    ['file_too_large', { maxBytes: 5999 }],
    ['bad_options', { options: { no: 1 } }],
  ])('leaves a failed record with the error %s, and no file', async (code, more) => {
    const id = freshId();
    await expect(take(space.parts, rawFile(id, more))).rejects.toMatchObject({ code, id });
    expect(await recordOf(id)).toMatchObject({ state: 'failed', error: { code, id, state: 'failed', final: true } });
    expect([space.files(), space.queued]).toEqual([[], []]);
  });

  test('whose client disconnects leaves a failed record and no file', async () => {
    const id = freshId();
    const { breakOff, outcome } = await begun(id);
    breakOff();
    expect(await outcome).toBe('upload_interrupted');
    expect(await recordOf(id)).toMatchObject({
      state: 'failed',
      receivedBytes: 5000,
      error: { code: 'upload_interrupted' },
    });
    expect(space.files()).toEqual([]);
  });

  test('that the signal ends gets its reason and a Retry-After', async () => {
    const id = freshId();
    const controller = new AbortController();
    const { request, send } = fakeRequest();
    const outcome = take(space.parts, rawFile(id, { request, signal: controller.signal }));
    send(BYTES.subarray(0, 5000));
    await turnsUntil('a file', () => space.files().length > 0);
    controller.abort(new ServiceError('shutting_down', 'Stopping.', { retryAfterMs: 1000 }));
    await expect(outcome).rejects.toMatchObject({ code: 'shutting_down', retryAfterMs: 1000, id });
    expect(space.files()).toEqual([]);
  });
});

describe('the digests of a raw upload', () => {
  const digest = (algorithm: 'sha256' | 'sha512', bytes = BYTES) => ({
    algorithm,
    digest: createHash(algorithm).update(bytes).digest(),
  });

  test('are compared with the bytes', async () => {
    const record = await take(space.parts, rawFile(freshId(), { digests: [digest('sha256'), digest('sha512')] }));
    expect(record).toMatchObject({ state: 'queued', sha256: createHash('sha256').update(BYTES).digest('hex') });
  });

  test('end the upload as failed on a mismatch, and no file is left', async () => {
    const id = freshId();
    const digests = [digest('sha256'), digest('sha512', Buffer.from('other'))];
    expect(await codeOf(take(space.parts, rawFile(id, { digests })))).toBe('digest_mismatch');
    expect(await recordOf(id)).toMatchObject({ state: 'failed', error: { code: 'digest_mismatch' } });
    expect(space.files()).toEqual([]);
  });

  test('do not change the error of an empty body', async () => {
    const digests = [digest('sha256', Buffer.alloc(0))];
    const empty = { request: wholeRequest({}), digests };
    expect(await codeOf(take(space.parts, rawFile(freshId(), empty)))).toBe('empty_file');
    expect(space.files()).toEqual([]);
  });

  test('are also compared if the file is stored already', async () => {
    const id = freshId();
    await take(space.parts, rawFile(id));
    const digests = [digest('sha256', Buffer.from('other'))];
    expect(await codeOf(take(space.parts, rawFile(id, { digests })))).toBe('digest_mismatch');
    expect(await recordOf(id)).toMatchObject({ state: 'queued' });
  });
});
