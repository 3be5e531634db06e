import { describe, expect, test } from '@jest/globals';
import { Upload } from '@tus/server';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Transfers } from '../../../../src/http/transfers.ts';
import { ServiceError } from '../../../../src/errors.ts';
import type { UploadRecord } from '../../../../src/record/record-fields.ts';
import type { SentDigest } from '../../../../src/intake/body-digests.ts';
import { removeOrphanFiles } from '../../../../src/record/orphan-files.ts';
import { growingPartKey, manifestKey, originalKey, parseKey, partKey } from '../../../../src/storage/keys.ts';
import { putObject } from '../../../../src/storage/storage.ts';
import { TusStore, type TusStoreParts } from '../../../../src/roads/tus/tus-store.ts';
import { UploadRemoval } from '../../../../src/intake/removal.ts';
import { overriding } from '../../../helpers/overriding.ts';
import { silentLog } from '../../../helpers/record-space.ts';
import { codeOf, freshId, jpegBytes } from '../../../helpers/fake-request.ts';
import { type IntakeSpace, useIntake, SCOPE } from '../../../helpers/intake-space.ts';

const BYTES = jpegBytes(9000);

let space: IntakeSpace;

useIntake('test', (opened) => (space = opened));

function newStore(parts: Partial<TusStoreParts> = {}, checksum?: SentDigest): TusStore {
  const removal = new UploadRemoval({
    records: space.records,
    storage: space.storage,
    transfers: new Transfers(),
    log: silentLog,
  });
  return new TusStore({ ...space.parts, removal, maxFileBytes: 100_000, expiryMs: 60_000, ...parts }, SCOPE, {
    checksum,
  });
}

/** Announces an upload of `BYTES`, as another process would. */
async function announced(size: number | null = BYTES.length): Promise<string> {
  const id = freshId();
  await newStore().create(
    new Upload({ id, offset: 0, metadata: { filename: 'a.jpg' }, ...(size === null ? {} : { size }) }),
  );
  return id;
}

async function write(id: string, from: number, to: number, store = newStore()): Promise<number> {
  return await store.write(Readable.from([BYTES.subarray(from, to)]), id, from);
}

async function recordOf(id: string): Promise<UploadRecord | undefined> {
  return (await space.records.read(id))?.record;
}

async function expectStored(id: string): Promise<void> {
  const record = await recordOf(id);
  expect(record).toMatchObject({
    state: 'queued',
    sha256: createHash('sha256').update(BYTES).digest('hex'),
    receivedBytes: BYTES.length,
    percent: 30,
  });
  const fencingToken = record?.fencingToken ?? '';
  expect(space.files().sort()).toEqual([manifestKey(id, fencingToken), originalKey(id, fencingToken)].sort());
  expect(space.queued).toContain(id);
}

describe('an announced upload', () => {
  const DAY_MS = 24 * 3_600_000;
  const dueInMs = async (id: string) => Number(await space.connection.zscore(space.keys.due, id)) - Date.now();

  test('expires after 10 minutes if no byte arrives, and after the usual time once bytes have arrived', async () => {
    const store = newStore({ expiryMs: DAY_MS });
    const id = freshId();
    const created = await store.create(new Upload({ id, offset: 0, size: BYTES.length, metadata: {} }));
    expect(Date.parse(created.creation_date ?? '') + DAY_MS - Date.now()).toBeLessThanOrEqual(600_000);
    expect(await dueInMs(id)).toBeLessThanOrEqual(600_000);
    const asked = await store.getUpload(id);
    expect(Date.parse(asked.creation_date ?? '') + DAY_MS - Date.now()).toBeLessThanOrEqual(600_000);
    await write(id, 0, 1000, store);
    expect(await dueInMs(id)).toBeGreaterThan(DAY_MS - 600_000);
    const begun = await store.getUpload(id);
    expect(Date.parse(begun.creation_date ?? '') + DAY_MS - Date.now()).toBeGreaterThan(DAY_MS - 600_000);
  });
});

describe('an upload in several requests', () => {
  test('continues in any process, becomes one file and is queued at the end', async () => {
    const id = await announced();
    expect(await write(id, 0, 100)).toBe(100);
    expect(await recordOf(id)).toMatchObject({ state: 'receiving', receivedBytes: 100, type: null });
    expect(await write(id, 100, 6000)).toBe(6000);
    expect(await recordOf(id)).toMatchObject({
      state: 'receiving',
      receivedBytes: 6000,
      type: 'image/jpeg',
      percent: 20,
    });
    expect((await newStore().getUpload(id)).offset).toBe(6000);
    expect(await write(id, 6000, 9000)).toBe(9000);
    await expectStored(id);
    expect(await newStore().getUpload(id)).toMatchObject({ offset: 9000, size: 9000, metadata: { filename: 'a.jpg' } });
  });

  test('may announce its size at the end', async () => {
    const id = await announced(null);
    await write(id, 0, 9000);
    expect(await newStore().getUpload(id)).toMatchObject({ offset: 9000, size: undefined });
    await newStore().declareUploadLength(id, 9000);
    await newStore().write(Readable.from([]), id, 9000);
    await expectStored(id);
  });

  test('keeps the received bytes if a body ends early', async () => {
    const id = await announced();
    await write(id, 0, 5000);
    expect((await newStore().getUpload(id)).offset).toBe(5000);
  });
});

describe('a request that creates an upload and sends its bytes', () => {
  async function sendAtOnce(store: TusStore): Promise<{ id: string; sent: Promise<number> }> {
    const id = freshId();
    await store.create(new Upload({ id, size: BYTES.length, offset: 0, metadata: {} }));
    return { id, sent: write(id, 0, 9000, store) };
  }

  test('leaves no upload that is being received if the queue is full at the last byte', async () => {
    const limit = { name: 'waiting', endsInMs: undefined } as const;
    const limited = { applied: false, rejection: 'limited', record: undefined, limit } as const;
    const records = overriding(space.records, { enqueue: async () => await Promise.resolve(limited) });
    const { id, sent } = await sendAtOnce(newStore({ records }));
    await expect(sent).rejects.toMatchObject({ code: 'quota_exceeded', status: 429, limit: 'waiting' });
    expect(await recordOf(id)).toMatchObject({ state: 'failed', error: { code: 'quota_exceeded', limit: 'waiting' } });
    expect(space.files()).toEqual([]);
  });

  test('leaves no upload that is being received if its checksum is wrong', async () => {
    const { id, sent } = await sendAtOnce(newStore({}, { algorithm: 'sha1', digest: Buffer.alloc(20) }));
    await expect(sent).rejects.toMatchObject({ code: 'digest_mismatch', status: 460 });
    expect(await recordOf(id)).toMatchObject({ state: 'failed', receivedBytes: 0 });
    expect(space.files()).toEqual([]);
  });
});

describe('an id that the client has made', () => {
  const createUnder = async (uploadId: string) =>
    await newStore().create(new Upload({ id: uploadId, size: BYTES.length, offset: 0, metadata: { uploadId } }));

  test('makes creation safe to repeat: the second is a conflict, and nothing is lost', async () => {
    const id = freshId();
    await createUnder(id);
    await write(id, 0, 100);
    expect(await codeOf(createUnder(id))).toBe('upload_conflict');
    expect((await newStore().getUpload(id)).offset).toBe(100);
    await write(id, 100, 9000);
    expect(await codeOf(createUnder(id))).toBe('upload_conflict');
    await expectStored(id);
  });

  test('begins a new life if its upload was cancelled', async () => {
    const id = freshId();
    await createUnder(id);
    await write(id, 0, 5000);
    await space.records.cancel(id);
    await createUnder(id);
    expect((await newStore().getUpload(id)).offset).toBe(0);
    await write(id, 0, 9000);
    await expectStored(id);
  });
});

describe('an upload whose process died', () => {
  test('between the last byte and the queue is completed by the next request', async () => {
    const id = await announced();
    await putObject(space.storage, partKey(id, 0, 'deaddeaddead'), BYTES);
    expect((await newStore().getUpload(id)).offset).toBe(9000);
    await expectStored(id);
  });

  test('while it joined the parts loses the incomplete file and is completed', async () => {
    const id = await announced();
    const fencingToken = (await recordOf(id))?.fencingToken ?? '';
    await putObject(space.storage, partKey(id, 0, 'deaddeaddead'), BYTES);
    await putObject(space.storage, originalKey(id, fencingToken), BYTES.subarray(0, 10));
    await newStore().getUpload(id);
    await expectStored(id);
  });

  test('after it made the file is completed by the next request', async () => {
    const id = await announced();
    await write(id, 0, 9000, newStore({ records: withoutQueue('service_unavailable') })).catch(() => undefined);
    await space.storage.remove(manifestKey(id, (await recordOf(id))?.fencingToken ?? ''));
    expect((await newStore().getUpload(id)).offset).toBe(9000);
    await expectStored(id);
  });

  test('or only seemed to die leaves one file, even if two requests complete it', async () => {
    const id = await announced();
    await putObject(space.storage, partKey(id, 0, '000000000001'), BYTES);
    const ends = await Promise.all([newStore(), newStore()].map((store) => codeOf(store.getUpload(id))));
    expect(ends).toContain('none');
    await expectStored(id);
    expect(space.queued).toEqual([id]);
  });
});

/** Returns records that cannot queue an upload. */
function withoutQueue(code: 'service_unavailable' | 'queue_full'): IntakeSpace['records'] {
  return overriding(space.records, { enqueue: async () => await Promise.reject(new ServiceError(code, 'None.')) });
}

describe('a large upload', () => {
  const LARGE = jpegBytes(9 * 1024 * 1024);
  const HALF = LARGE.length / 2;
  const largeStore = (parts: Partial<TusStoreParts> = {}) => newStore({ maxFileBytes: LARGE.length, ...parts });
  const send = async (id: string, from: number, to: number, store = largeStore()) =>
    await store.write(Readable.from([LARGE.subarray(from, to)]), id, from);

  async function announcedLarge(): Promise<string> {
    const id = freshId();
    await largeStore().create(new Upload({ id, offset: 0, size: LARGE.length, metadata: {} }));
    return id;
  }

  /** Leaves an upload as a killed process does: the file is still open. */
  async function killedAfter(id: string, bytes: number): Promise<void> {
    const keyOf = (sizeBytes: number) => growingPartKey(id, 0, 'deaddeaddead', { sizeBytes, isOpen: true });
    const object = await space.storage.growing.open(keyOf(0));
    await object?.write(LARGE.subarray(0, bytes));
    await object?.close(keyOf);
  }

  async function expectWhole(id: string): Promise<void> {
    const { fencingToken, state, sha256 } = (await recordOf(id)) ?? {};
    expect([state, sha256]).toEqual(['queued', null]);
    const key = originalKey(id, fencingToken ?? '');
    expect(space.files().sort()).toEqual([manifestKey(id, fencingToken ?? ''), key].sort());
    expect((await space.storage.stat(key))?.sizeBytes).toBe(LARGE.length);
  }

  test('becomes its file with a rename: only its first bytes are read again', async () => {
    const id = await announcedLarge();
    await send(id, 0, HALF);
    const readBytes: number[] = [];
    const storage = overriding(space.storage, {
      read: async (key, range) => {
        readBytes.push((range?.end ?? LARGE.length) - (range?.start ?? 0) + 1);
        return await space.storage.read(key, range);
      },
    });
    await send(id, HALF, LARGE.length, largeStore({ storage }));
    expect(readBytes.filter((count) => count > 5000)).toEqual([]);
    await expectWhole(id);
  });

  test('keeps its bytes if the queue is full at the last byte, without a manifest', async () => {
    const id = await announcedLarge();
    const limit = { name: 'waiting', endsInMs: undefined } as const;
    const limited = { applied: false, rejection: 'limited', record: undefined, limit } as const;
    const full = overriding(space.records, { enqueue: async () => await Promise.resolve(limited) });
    expect(await codeOf(send(id, 0, LARGE.length, largeStore({ records: full })))).toBe('quota_exceeded');
    expect(space.files().map((key) => parseKey(key)?.kind)).toEqual(['original']);
    expect((await largeStore({ records: full }).getUpload(id)).offset).toBe(LARGE.length - 1);
    expect(await send(id, LARGE.length - 1, LARGE.length)).toBe(LARGE.length);
    await expectWhole(id);
  });

  test('is queued in parts after a process was killed, and the janitor keeps them for the worker', async () => {
    const id = await announcedLarge();
    await killedAfter(id, HALF);
    expect((await largeStore().getUpload(id)).offset).toBe(HALF);
    await send(id, HALF, LARGE.length);
    expect(await recordOf(id)).toMatchObject({ state: 'queued', stored: true, sha256: null });
    expect((await largeStore().getUpload(id)).offset).toBe(LARGE.length);
    expect(await removeOrphanFiles(space.parts, id)).toEqual([]);
    expect(space.files().filter((key) => parseKey(key)?.kind === 'part')).toHaveLength(2);
    await space.records.cancel(id);
    await removeOrphanFiles(space.parts, id);
    expect(space.files()).toEqual([]);
  });

  test('takes one place in the queue, even if two requests complete it at once', async () => {
    const id = await announcedLarge();
    await send(id, 0, HALF);
    await send(id, HALF, LARGE.length, largeStore({ records: withoutQueue('service_unavailable') })).catch(() => 0);
    const ends = await Promise.all([1, 2, 3].map(() => codeOf(largeStore().getUpload(id))));
    expect(ends).toContain('none');
    await expectWhole(id);
    expect(space.queued).toEqual([id]);
  });
});

describe('a fault of the service', () => {
  test('keeps all bytes for another try', async () => {
    const id = await announced();
    const records = withoutQueue('service_unavailable');
    expect(await codeOf(write(id, 0, 9000, newStore({ records })))).toBe('service_unavailable');
    expect(await recordOf(id)).toMatchObject({ state: 'receiving', receivedBytes: 9000 });
    expect((await newStore().getUpload(id)).offset).toBe(9000);
    await expectStored(id);
  });
});

describe('an end of a resumable upload', () => {
  test('by a cancel while bytes arrive leaves no file', async () => {
    const id = await announced();
    const store = newStore();
    const source = Readable.from(
      (async function* () {
        yield BYTES.subarray(0, 5000);
        await space.records.cancel(id);
        yield BYTES.subarray(5000, 8000);
      })(),
    );
    expect(await codeOf(store.write(source, id, 0))).toBe('upload_cancelled');
    expect(space.files()).toEqual([]);
    expect(await codeOf(store.getUpload(id))).toBe('upload_cancelled');
  });

  test('by a PUT under its id makes it unknown to tus', async () => {
    const id = await announced();
    await space.records.open({ id, fencingToken: 'r', fileName: 'a.jpg', totalBytes: null });
    expect(await codeOf(newStore().getUpload(id))).toBe('unknown_upload');
  });
});

describe('a request with a checksum', () => {
  const sha1 = (bytes: Buffer): SentDigest => ({
    algorithm: 'sha1',
    digest: createHash('sha1').update(bytes).digest(),
  });

  test('stores its bytes if they have it', async () => {
    const id = await announced();
    expect(await write(id, 0, 5000, newStore({}, sha1(BYTES.subarray(0, 5000))))).toBe(5000);
    expect(await write(id, 5000, 9000, newStore({}, sha1(BYTES.subarray(5000))))).toBe(9000);
    await expectStored(id);
  });

  test('stores nothing if they do not have it, and the client continues at the same offset', async () => {
    const id = await announced();
    await write(id, 0, 5000);
    await expect(write(id, 5000, 9000, newStore({}, sha1(BYTES)))).rejects.toMatchObject({
      code: 'digest_mismatch',
      status: 460,
    });
    expect(await newStore().getUpload(id)).toMatchObject({ offset: 5000 });
    expect(await recordOf(id)).toMatchObject({ state: 'receiving', receivedBytes: 5000 });
    await write(id, 5000, 9000);
    await expectStored(id);
  });

  test('without bytes changes nothing, whether they have it or not', async () => {
    const id = await announced();
    await write(id, 0, 5000);
    expect(await write(id, 5000, 5000, newStore({}, sha1(Buffer.alloc(0))))).toBe(5000);
    await expect(write(id, 5000, 5000, newStore({}, sha1(BYTES)))).rejects.toMatchObject({ code: 'digest_mismatch' });
    await write(id, 5000, 9000);
    await expectStored(id);
  });

  test('does not end the upload if a byte of its head was changed on the way', async () => {
    const id = await announced();
    const store = newStore({}, sha1(BYTES));
    const changed = Buffer.from(BYTES).fill(0, 0, 100);
    await expect(store.write(Readable.from([changed]), id, 0)).rejects.toMatchObject({ status: 460 });
    await write(id, 0, 9000);
    await expectStored(id);
  });
});
