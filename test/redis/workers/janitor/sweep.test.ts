import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openCaller } from '../../../../src/access/caller.ts';
import type { UploadState } from '../../../../src/wire/documents.ts';
import { problemOf } from '../../../../src/errors.ts';
import { manifestOwner } from '../../../../src/record/ownership.ts';
import { UploadRecords } from '../../../../src/record/record.ts';
import { OTHER_KIND } from '../../../../src/queue/contract.ts';
import { UploadQueue } from '../../../../src/queue/upload-queue.ts';
import { UploadSets } from '../../../../src/queue/upload-sets.ts';
import { manifestKey, originalKey, partKey, uploadPrefix, variantKey } from '../../../../src/storage/keys.ts';
import { manifestObject, type Manifest } from '../../../../src/storage/manifest.ts';
import { putObject } from '../../../../src/storage/storage.ts';
import { assemble } from '../../../../workers/assemble.ts';
import { handleDueUploads } from '../../../../workers/janitor/due-uploads.ts';
import { addMissingPermits } from '../../../../workers/janitor/missing-permits.ts';
import { reconcileStorage } from '../../../../workers/janitor/reconciliation-scan.ts';
import {
  applied,
  newUpload,
  openRecordSpace,
  RESULT,
  silentLog,
  STORED,
  uploadIn,
  type RecordSpace,
} from '../../../helpers/record-space.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { overriding } from '../../../helpers/overriding.ts';
import { sharedRedis } from '../../../helpers/shared-redis.ts';
import { openTempStorage, type TempStorage } from '../../../helpers/temp-storage.ts';
import { uploadRef } from '../../../../src/telemetry/upload-ref.ts';

let space: RecordSpace;
let temp: TempStorage;
let sets: UploadSets;
/** Kinds of the permits added. */
let permits: string[];

beforeEach(async () => {
  [space, temp] = await Promise.all([openRecordSpace(await sharedRedis()), openTempStorage()]);
  sets = new UploadSets(space.connection, space.keys);
  permits = [];
});
afterEach(async () => {
  await Promise.all([space.close(), temp.remove()]);
});

const SIGNAL = new AbortController().signal;
const NOW = Buffer.from('x');
const queue = { add: async (kind: string) => void permits.push(kind), has: async () => true };
const parts = (records: UploadRecords = space.records) => ({
  records,
  sets,
  queue,
  storage: temp.storage,
  log: silentLog,
  uploadExpiryMs: 0,
});
const put = async (key: string) => await putObject(temp.storage, key, NOW);

/** Sets the time of every file in the storage to `ms` ago. */
async function age(ms: number): Promise<void> {
  const then = new Date(Date.now() - ms);
  for (const path of temp.files()) await utimes(join(temp.directory, path), then, then);
}

/** Stores bytes and a manifest without a record. */
async function storedUpload(id: string = randomUUID(), more: Partial<Manifest> = {}) {
  const fencingToken = more.fencingToken ?? randomUUID();
  await put(originalKey(id, fencingToken));
  const { type, sha256, options } = STORED;
  const manifest = manifestObject({
    id,
    fencingToken,
    publicId: `p-${id}`,
    name: 'a.jpg',
    type,
    sizeBytes: 1,
    sha256,
    options,
    createdAt: new Date(0).toISOString(),
    ...more,
  });
  await putObject(temp.storage, manifest.key, manifest.bytes);
  return { id, fencingToken };
}

async function redisNowMs(): Promise<number> {
  const [seconds = 0, microseconds = 0] = (await space.connection.time()).map(Number);
  return Math.floor(seconds * 1000 + microseconds / 1000);
}

async function stateOf(id: string) {
  return (await space.records.read(id))?.record.state;
}

describe('the search for missing permits', () => {
  let real: UploadQueue;

  beforeEach(() => {
    real = new UploadQueue(space.connection, space.keys, silentLog);
  });
  afterEach(async () => {
    await real.close();
  });

  async function sweep(): Promise<number> {
    await addMissingPermits({ sets, queue: real, log: silentLog });
    return (await real.counts()).waiting;
  }

  test('adds as many permits as uploads wait, and no more in later sweeps', async () => {
    for (let upload = 0; upload < 3; upload++) await uploadIn(space.records, 'queued');
    expect([await sweep(), await sweep()]).toEqual([3, 3]);
  });

  test('counts a permit that has begun an upload as used', async () => {
    await Promise.all([uploadIn(space.records, 'queued'), uploadIn(space.records, 'queued')]);
    await real.add(OTHER_KIND);
    await space.records.take({ kind: OTHER_KIND, id: '1' });
    expect(await sweep()).toBe(2);
  });

  test('adds no permit for an upload that pauses before its next try until the pause is over', async () => {
    const { id } = await uploadIn(space.records, 'processing');
    applied(await space.records.requeue(id, 1, { faults: 1, pauseMs: 60_000 }));
    expect(await sweep()).toBe(0);
    expect(Number(await space.connection.zscore(space.keys.waiting, id)) - (await redisNowMs())).toBeGreaterThan(
      30_000,
    );
    await space.connection.zincrby(`${space.keys.fair}paused:${OTHER_KIND}`, -66_000, id);
    expect(await sweep()).toBe(1);
  });

  test('corrects a number of spare permits that is too high', async () => {
    await space.connection.hset(`${space.keys.fair}spare`, OTHER_KIND, 5);
    await uploadIn(space.records, 'queued');
    await sweep();
    const { id, fencingToken } = await uploadIn(space.records, 'receiving');
    expect(applied(await space.records.enqueue(id, fencingToken, STORED)).permitFor).toBe(OTHER_KIND);
  });

  test('removes ids from the waiting set whose records do not wait, and adds no permit for them', async () => {
    const [done, unknown] = [await uploadIn(space.records, 'completed'), randomUUID()];
    const waiting = await uploadIn(space.records, 'queued');
    await space.connection.zadd(space.keys.waiting, 1, done.id, 2, unknown);
    expect([await sweep(), await space.connection.zrange(space.keys.waiting, '0', '-1')]).toEqual([1, [waiting.id]]);
  });

  test('gives a place and a permit to an upload that a process of an older version has queued', async () => {
    const { id } = await uploadIn(space.records, 'queued');
    await space.connection.del(...(await space.connection.keys(`${space.keys.fair}*`)));
    await space.connection.hdel(space.keys.record(id), 'kind');
    expect([await sweep(), (await space.records.read(id))?.queuePosition]).toEqual([1, 1]);
    const taken = await space.records.take({ kind: OTHER_KIND, id: '1' });
    expect(!taken.nothing && applied(taken.outcome).record?.id).toBe(id);
  });

  test('compares 2000 uploads per sweep in turn, for any length of the queue', async () => {
    const ids = Array.from({ length: 2_500 }, (_, index) => `u-${index}`);
    await space.connection.zadd(space.keys.waiting, ...ids.flatMap((id, index) => [index, id]));
    await sweep();
    expect(await space.connection.zcard(space.keys.waiting)).toBe(500);
    await sweep();
    expect(await space.connection.exists(space.keys.waiting)).toBe(0);
  });
});

describe('the handling of due uploads', () => {
  test('ends an upload that was silent too long as upload_interrupted, and removes its files', async () => {
    const records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    await put(originalKey(upload.id, randomUUID()));
    await handleDueUploads(parts(records), SIGNAL);
    expect((await records.read(upload.id))?.record).toMatchObject({
      state: 'failed',
      error: { code: 'upload_interrupted', state: 'failed', final: true },
    });
    expect(temp.files()).toEqual([]);
  });

  test('queues an upload that was silent too long if all its bytes are stored', async () => {
    const records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    await storedUpload(upload.id, { fencingToken: upload.fencingToken });
    await handleDueUploads(parts(records), SIGNAL);
    expect((await records.read(upload.id))?.record).toMatchObject({
      state: 'queued',
      stored: true,
      fencingToken: upload.fencingToken,
      type: STORED.type,
      percent: 30,
    });
    expect([permits, temp.files().length]).toEqual([[OTHER_KIND], 2]);
  });

  test('takes the last of several requests under one id if the record names none as stored', async () => {
    const records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    await storedUpload(upload.id, { sequence: 3 });
    const last = await storedUpload(upload.id, { sequence: 5 });
    await storedUpload(upload.id, { sequence: 4 });
    await handleDueUploads(parts(records), SIGNAL);
    expect((await records.read(upload.id))?.record).toMatchObject({ state: 'queued', fencingToken: last.fencingToken });
  });

  test('keeps an upload due that is still receiving afterwards', async () => {
    const records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    const losing = overriding(records, {
      interrupt: async () => ({ applied: false, rejection: 'fenced', record: undefined }),
    });
    await handleDueUploads(parts(losing), SIGNAL);
    expect([await stateOf(upload.id), (await sets.due(10)).ids]).toEqual(['receiving', [upload.id]]);
  });

  test('leaves an upload alone that has received bytes in the meantime', async () => {
    const { id, fencingToken } = await uploadIn(space.records, 'receiving');
    await handleDueUploads(parts(), SIGNAL);
    await space.records.receive(id, fencingToken, 1, 10);
    let reads = 0;
    const records = overriding(space.records, {
      async read(of) {
        const read = await space.records.read(of);
        if (reads++ === 0) await space.records.receive(id, fencingToken, 2, 10);
        return read;
      },
    });
    const due = overriding(sets, { due: async () => ({ nowMs: Date.now(), ids: [id] }), isDue: async () => true });
    await handleDueUploads({ ...parts(records), sets: due }, SIGNAL);
    expect(reads).toBeGreaterThan(0);
    expect(await stateOf(id)).toBe('receiving');
  });

  test('does not queue the file of an earlier request after another one has taken over', async () => {
    const silent = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await silent.open(upload));
    await storedUpload(upload.id, { fencingToken: upload.fencingToken });
    const taken = overriding(sets, {
      async due(limit: number) {
        const found = await sets.due(limit);
        applied(await space.records.open({ ...upload, fencingToken: 'later' }));
        return found;
      },
    });
    await handleDueUploads({ ...parts(), sets: taken }, SIGNAL);
    expect((await space.records.read(upload.id))?.record).toMatchObject({ state: 'receiving', fencingToken: 'later' });
  });

  test('removes the files of cancelled and deleted uploads, and keeps those of completed ones', async () => {
    const living = await uploadIn(space.records, 'completed');
    const cancelled = await uploadIn(space.records, 'cancelled');
    const deleted = await uploadIn(space.records, 'completed');
    await space.records.delete(deleted.id);
    for (const { id, fencingToken } of [living, cancelled, deleted]) await put(originalKey(id, fencingToken));
    await handleDueUploads(parts(), SIGNAL);
    expect(temp.files()).toEqual([originalKey(living.id, living.fencingToken)]);
    expect((await sets.due(10)).ids).toEqual([]);
  });

  test('adds the permit of a silent attempt again if it does not exist any more', async () => {
    const records = new UploadRecords(space.store, space.keys, { retentionMs: 60_000, silenceMs: 0 });
    const real = new UploadQueue(space.connection, space.keys, silentLog);
    const [kept, lost] = [await uploadIn(records, 'queued'), await uploadIn(records, 'queued')];
    await real.add(OTHER_KIND);
    for (const id of ['1', 'lost']) await records.take({ kind: OTHER_KIND, id });
    await handleDueUploads({ ...parts(records), queue: real }, SIGNAL);
    expect(await space.connection.hget(`${space.keys.bullPrefix}:uploads:2`, 'data')).toBe('{"permit":"lost"}');
    expect([kept.id, (await real.counts()).waiting]).toEqual([kept.id, 2]);
    const again = await records.take({ kind: OTHER_KIND, id: '2', replaces: 'lost' });
    expect(!again.nothing && applied(again.outcome).record).toMatchObject({ id: lost.id, attempt: 2, deaths: 1 });
    await real.close();
  });

  test('removes all files at the end of the retention', async () => {
    const records = new UploadRecords(space.store, space.keys, { retentionMs: 1 });
    const { id, fencingToken } = await uploadIn(records, 'completed');
    await put(originalKey(id, fencingToken));
    await eventually('it to be due', async () => (await sets.due(10)).ids.length > 0);
    await handleDueUploads(parts(records), SIGNAL);
    expect(temp.files()).toEqual([]);
  });

  test('retries an upload whose handling fails after growing pauses, and handles the others', async () => {
    const ids = [(await uploadIn(space.records, 'cancelled')).id, (await uploadIn(space.records, 'cancelled')).id];
    const bad = ids[0] ?? '';
    const list = (prefix: string) => {
      if (prefix === uploadPrefix(bad)) throw new Error('the disk is busy');
      return temp.storage.list(prefix);
    };
    const storage = overriding(temp.storage, { list });
    const failing = { records: space.records, sets, queue, log: silentLog, storage };
    const pauses: number[] = [];
    for (let sweep = 0; sweep < 3; sweep++) {
      await space.connection.zadd(space.keys.due, 'XX', 1, bad);
      const beforeMs = await redisNowMs();
      await handleDueUploads(failing, SIGNAL);
      pauses.push(Number(await space.connection.zscore(space.keys.due, bad)) - beforeMs);
    }
    for (const [index, pauseMs] of pauses.entries()) expect(pauseMs).toBeGreaterThanOrEqual(15_000 * 2 ** index);
    expect((await sets.due(10)).ids).toEqual([]);
    await space.connection.zadd(space.keys.due, 1, bad);
    await handleDueUploads(parts(), SIGNAL);
    expect(await space.connection.exists(space.keys.putOff)).toBe(0);
  });

  test('handles more uploads in one sweep than one batch holds', async () => {
    const ids = Array.from({ length: 501 }, () => randomUUID());
    await space.connection.zadd(space.keys.due, ...ids.flatMap((id) => [1, id]));
    await handleDueUploads(parts(), SIGNAL);
    expect(await space.connection.zcard(space.keys.due)).toBe(0);
  });
});

describe('the removal of files of overtaken requests and attempts', () => {
  const SILENCE_MS = 60_000;
  const patient = () => new UploadRecords(space.store, space.keys, { retentionMs: 3_600_000, silenceMs: SILENCE_MS });
  /** The same records at a time when every writer must have ended. */
  const later = () => new UploadRecords(space.store, space.keys, { retentionMs: 3_600_000, silenceMs: 0 });
  const dueInMs = async (id: string) => Number(await space.connection.zscore(space.keys.due, id)) - Date.now();

  test('runs at the end of the upload, and again when no writer can be left', async () => {
    const records = patient();
    const { id, fencingToken: overtaken } = await uploadIn(records, 'receiving');
    const { fencingToken } = await uploadIn(records, 'completed', { id });
    await put(originalKey(id, fencingToken));
    await put(originalKey(id, overtaken));
    await handleDueUploads(parts(records), SIGNAL);
    expect(temp.files()).toEqual([originalKey(id, fencingToken)]);
    expect(await dueInMs(id)).toBeGreaterThan(0);
    expect(await dueInMs(id)).toBeLessThanOrEqual(SILENCE_MS);
    // A process leaves this if it is killed before it learns that it was overtaken.
    const unfinished = await temp.storage.create(originalKey(id, overtaken));
    await put(manifestKey(id, overtaken));
    await handleDueUploads(
      { ...parts(later()), sets: overriding(sets, { due: async () => ({ nowMs: Date.now(), ids: [id] }) }) },
      SIGNAL,
    );
    expect(temp.files()).toEqual([originalKey(id, fencingToken)]);
    await unfinished.discard();
  });

  test('runs a second time, and then only at the end of the retention', async () => {
    const records = later();
    const { id } = await uploadIn(records, 'receiving');
    await uploadIn(records, 'completed', { id });
    await eventually('it to be due', async () => (await sets.due(10)).ids.length > 0);
    await handleDueUploads(parts(records), SIGNAL);
    expect((await sets.due(10)).ids).toEqual([]);
    expect(await dueInMs(id)).toBeGreaterThan(SILENCE_MS);
  });

  test('runs a second time if the upload was cancelled while it was received', async () => {
    const records = patient();
    const { id, fencingToken } = await uploadIn(records, 'cancelled');
    await handleDueUploads(parts(records), SIGNAL);
    expect(await dueInMs(id)).toBeGreaterThan(0);
    await put(originalKey(id, fencingToken));
    await handleDueUploads(
      { ...parts(later()), sets: overriding(sets, { due: async () => ({ nowMs: Date.now(), ids: [id] }) }) },
      SIGNAL,
    );
    expect(temp.files()).toEqual([]);
  });

  test('includes unfinished files of an attempt that was requeued while the storage was away', async () => {
    const records = later();
    const { id } = await uploadIn(records, 'processing');
    const unfinished = await temp.storage.create(variantKey(id, 1, 'dot', 'png'));
    applied(await records.requeue(id, 1));
    applied(await records.begin(id));
    applied(await records.complete(id, 2, RESULT));
    await eventually('it to be due', async () => (await sets.due(10)).ids.length > 0);
    await handleDueUploads(parts(records), SIGNAL);
    expect(temp.files()).toEqual([]);
    await unfinished.discard();
  });

  test('includes unfinished files of a request that ended while the storage was away', async () => {
    const records = later();
    const { id, fencingToken } = await uploadIn(records, 'receiving');
    const unfinished = await temp.storage.create(originalKey(id, fencingToken));
    const problem = problemOf('storage_unavailable', 'Away.', id);
    applied(await records.reject(id, fencingToken, problem, { receivedBytes: 1, type: 'image/jpeg' }));
    await eventually('it to be due', async () => (await sets.due(10)).ids.length > 0);
    await handleDueUploads(parts(records), SIGNAL);
    expect(temp.files()).toEqual([]);
    await unfinished.discard();
  });

  test('includes the empty folder of a deleted upload whose removal was interrupted', async () => {
    const { id } = await uploadIn(space.records, 'completed');
    await mkdir(join(temp.directory, uploadPrefix(id)), { recursive: true });
    await space.records.delete(id);
    await handleDueUploads(parts(), SIGNAL);
    expect(await readdir(temp.directory)).toEqual([]);
  });

  test('does not run after one request and one attempt', async () => {
    const { id } = await uploadIn(patient(), 'completed');
    expect(await dueInMs(id)).toBeGreaterThan(SILENCE_MS);
  });
});

describe('the reconciliation scan', () => {
  test('restores record and job of an upload that Redis has lost, with an attempt above all earlier ones', async () => {
    const { id, fencingToken } = await storedUpload();
    await reconcileStorage(parts(), SIGNAL);
    const record = (await space.records.read(id))?.record;
    expect(record).toMatchObject({
      state: 'queued',
      fencingToken,
      fileName: 'a.jpg',
      stored: true,
      percent: 30,
      publicId: `p-${id}`,
      createdAtMs: 0,
    });
    expect([permits, await space.records.idOf(`p-${id}`)]).toEqual([[OTHER_KIND], id]);
    const attempt = applied(await space.records.begin(id)).record?.attempt ?? 0;
    expect(attempt).toBeGreaterThan(1_000_000);
    expect((await space.records.complete(id, attempt, RESULT)).applied).toBe(true);
  });

  test('restores tenant, lane, weight and metadata, and nothing of them from a manifest without an owner', async () => {
    const owner = { tenant: 'acme', lane: 'batch', weight: 2, metadata: { order: 7, tags: [] } } as const;
    const [owned, open] = [await storedUpload(undefined, { owner }), await storedUpload()];
    await reconcileStorage(parts(), SIGNAL);
    const [one, other] = await Promise.all([owned, open].map(async ({ id }) => (await space.records.read(id))?.record));
    expect(one).toMatchObject({ tenant: 'acme', lane: 'batch', weight: 2, appMetadata: owner.metadata });
    expect(other).toMatchObject({ tenant: null, lane: 'live', weight: 1, appMetadata: null });
  });

  test('restores an upload whose outcome is reported by a webhook, for processes without endpoints too', async () => {
    const caller = { ...openCaller, via: 'key', tenant: 'acme', hasWebhooks: true } as const;
    const lost = await uploadIn(space.records, 'queued', { caller });
    const { record } = (await space.records.read(lost.id)) ?? {};
    if (record === undefined) throw new Error('no record');
    await space.records.forget(lost.id, record.publicId);
    await storedUpload(lost.id, { ...manifestOwner(record), fencingToken: lost.fencingToken });
    await reconcileStorage(parts(), SIGNAL);
    applied(await space.records.cancel(lost.id));
    expect(await space.connection.xlen(space.keys.outbox)).toBe(1);
  });

  test('restores the digest that the sender has announced, so that a worker still checks it', async () => {
    const announcedSha256 = 'a'.repeat(64);
    const { id } = await storedUpload(undefined, { sha256: null, announcedSha256 });
    await reconcileStorage(parts(), SIGNAL);
    expect((await space.records.read(id))?.record).toMatchObject({ sha256: null, announcedSha256 });
  });

  test('restores a resumable upload whose parts are not joined, and a worker joins them', async () => {
    const { id, fencingToken } = await storedUpload(undefined, { sizeBytes: 6, sha256: null });
    await temp.storage.remove(originalKey(id, fencingToken));
    await putObject(temp.storage, partKey(id, 0, '000000000001'), Buffer.from('abc'));
    await putObject(temp.storage, partKey(id, 3, '000000000002'), Buffer.from('def'));
    await reconcileStorage(parts(), SIGNAL);
    const record = (await space.records.read(id))?.record;
    if (record === undefined) throw new Error('not restored');
    expect([record.state, permits, temp.files().length]).toEqual(['queued', [OTHER_KIND], 3]);
    const context = { signal: SIGNAL, report: () => undefined, log: silentLog };
    const assembled = await assemble(temp.storage, record, { ...context, bounded: (work) => work() });
    expect(await readFile(assembled?.input.path ?? '', 'utf8')).toBe('abcdef');
    expect(temp.files().sort()).toEqual([manifestKey(id, fencingToken), originalKey(id, fencingToken)].sort());
  });

  test('changes no upload that has a record, and does not run again at once', async () => {
    const upload = await uploadIn(space.records, 'completed');
    await storedUpload(upload.id, { fencingToken: upload.fencingToken });
    const before = await space.records.read(upload.id);
    await reconcileStorage(parts(), SIGNAL);
    expect([(await space.records.read(upload.id))?.record, permits]).toEqual([before?.record, []]);
    await storedUpload();
    await reconcileStorage(parts(), SIGNAL);
    expect(permits).toEqual([]);
  });

  test('removes the files of an earlier request if the record names a later one', async () => {
    const upload = await uploadIn(space.records, 'queued');
    const { id, fencingToken } = upload;
    await storedUpload(id, { fencingToken });
    const kept = temp.files();
    await storedUpload(id);
    expect(temp.files()).toHaveLength(4);
    await reconcileStorage(parts(), SIGNAL);
    expect(temp.files()).toEqual(kept);
  });

  test('restores a record with a version that no client can have seen', async () => {
    const { id } = await storedUpload();
    await reconcileStorage(parts(), SIGNAL);
    const { version = 0 } = (await space.records.read(id))?.record ?? {};
    expect(version).toBeGreaterThan(1_000_000);
    expect(applied(await space.records.begin(id)).version).toBe(version + 1);
  });

  test('restores an upload whose record was lost before the sweep handled it as due', async () => {
    const { id } = await storedUpload();
    const due = overriding(sets, { due: async () => ({ nowMs: Date.now(), ids: [id] }) });
    await handleDueUploads({ ...parts(), sets: due }, SIGNAL);
    expect(temp.files()).toHaveLength(2);
    await reconcileStorage(parts(), SIGNAL);
    expect(permits).toEqual([OTHER_KIND]);
    expect(await stateOf(id)).toBe('queued');
  });

  test('runs again after a restart of Redis, which may have lost its last changes', async () => {
    await reconcileStorage(parts(), SIGNAL);
    const { id } = await storedUpload();
    await reconcileStorage(parts(), SIGNAL);
    expect(permits).toEqual([]);
    await space.connection.set(space.keys.reconciled, 'the run of a server that is no more', 'PX', 60_000);
    await reconcileStorage(parts(), SIGNAL);
    expect(permits).toEqual([OTHER_KIND]);
    expect(await stateOf(id)).toBe('queued');
  });

  test('runs again within a minute only if it has found files that are too young to remove', async () => {
    const validMs = async () => await space.connection.pttl(space.keys.reconciled);
    const known = await uploadIn(space.records, 'completed');
    await put(originalKey(known.id, known.fencingToken));
    await reconcileStorage(parts(), SIGNAL);
    expect(await validMs()).toBeGreaterThan(60_000);
    await space.connection.del(space.keys.reconciled);
    await put(originalKey(randomUUID(), randomUUID()));
    await reconcileStorage(parts(), SIGNAL);
    expect(await validMs()).toBeLessThanOrEqual(60_000);
  });

  test('removes old files without record and manifest, and keeps young ones', async () => {
    const orphan = randomUUID();
    await put(originalKey(orphan, randomUUID()));
    await put(variantKey(orphan, 1, '160', 'jpeg'));
    await age(120_000);
    const young = originalKey(randomUUID(), randomUUID());
    await put(young);
    await reconcileStorage(parts(), SIGNAL);
    expect(temp.files()).toEqual([young]);
  });

  test('restores nothing from a manifest that cannot be read', async () => {
    const id = randomUUID();
    for (const text of ['', '{', '{}', JSON.stringify({ id: 'other' })]) {
      await putObject(temp.storage, manifestKey(id, randomUUID()), Buffer.from(text));
      await space.connection.del(space.keys.reconciled);
      await reconcileStorage(parts(), SIGNAL);
    }
    expect([await stateOf(id), permits]).toEqual([undefined, []]);
  });

  test('restores the last of several requests, for any order and times of their files', async () => {
    const id = randomUUID();
    const createdAt = new Date(60_000).toISOString();
    const last = await storedUpload(id, { createdAt, sequence: 2 });
    await age(60_000);
    await storedUpload(id, { createdAt, sequence: 1 });
    await storedUpload(id, { sequence: 9 });
    await storedUpload(id, { createdAt });
    await reconcileStorage(parts(), SIGNAL);
    expect((await space.records.read(id))?.record.fencingToken).toBe(last.fencingToken);
  });

  test('restores all others and removes nothing if a record cannot be read', async () => {
    const [damaged, lost] = [await storedUpload(), await storedUpload()];
    await age(120_000);
    await space.connection.hset(space.keys.record(damaged.id), 'state', 'nonsense');
    const before = temp.files();
    await reconcileStorage(parts(), SIGNAL);
    expect([permits, await stateOf(lost.id), temp.files()]).toEqual([[OTHER_KIND], 'queued', before]);
  });

  test('restores an accepted upload of which Redis has only an earlier, failed state', async () => {
    const { id } = await uploadIn(space.records, 'failed');
    const failed = (await space.records.read(id))?.record;
    const createdAt = new Date(failed?.createdAtMs ?? 0).toISOString();
    const accepted = await storedUpload(id, { createdAt, sequence: (failed?.version ?? 0) + 1 });
    await reconcileStorage(parts(), SIGNAL);
    const restored = (await space.records.read(id))?.record;
    expect(restored).toMatchObject({
      state: 'queued',
      error: null,
      fencingToken: accepted.fencingToken,
      expiresAtMs: null,
    });
    expect(restored?.version).toBeGreaterThan(failed?.version ?? 0);
    expect(await space.connection.pttl(space.keys.record(id))).toBe(-1);
  });

  test.each<[string, UploadState, number]>([
    ['a failure after the manifest was written', 'failed', 0],
    ['a cancellation after the manifest was written', 'cancelled', 0],
    ['a completed upload', 'completed', 1],
  ])('leaves %s as it is', async (_name, state, ahead) => {
    const { id } = await uploadIn(space.records, state);
    const before = (await space.records.read(id))?.record;
    const createdAt = new Date(before?.createdAtMs ?? 0).toISOString();
    await storedUpload(id, { createdAt, sequence: (before?.version ?? 0) + ahead });
    await reconcileStorage(parts(), SIGNAL);
    expect([(await space.records.read(id))?.record, permits]).toEqual([before, []]);
  });

  test('compares manifests of earlier releases by the time of their file', async () => {
    const id = randomUUID();
    await storedUpload(id);
    await age(10_000);
    const last = await storedUpload(id);
    await reconcileStorage(parts(), SIGNAL);
    expect((await space.records.read(id))?.record.fencingToken).toBe(last.fencingToken);
  });

  test('leaves files of other programs alone, and restores every upload beside them', async () => {
    const ids = await Promise.all(['00', '99', 'ff'].map(async (shard) => (await storedUpload(idIn(shard))).id));
    const foreign = [
      '.fseventsd/a b',
      'my photo.jpg',
      'al/alice/letter.odt',
      'en/en/x.json',
      'Downloads/film.mkv.part',
    ];
    for (const path of foreign) await writeForeign(path);
    await age(25 * 3_600_000);
    await reconcileStorage(parts(), SIGNAL);
    expect(await Promise.all(ids.map(stateOf))).toEqual(ids.map(() => 'queued'));
    expect(permits).toHaveLength(3);
    expect(temp.files()).toEqual(expect.arrayContaining(foreign));
    expect(await sets.reconciliationDue()).toBeUndefined();
  });

  test('logs every file that it removes', async () => {
    const orphan = randomUUID();
    const fencingToken = randomUUID();
    await put(originalKey(orphan, fencingToken));
    await writeForeign(`${originalKey(orphan, fencingToken)}.0123456789ab.part`);
    await age(25 * 3_600_000);
    const lines: object[] = [];
    const log = overriding(silentLog, { info: (line: object) => void lines.push(line) });
    await reconcileStorage({ ...parts(), log }, SIGNAL);
    expect([lines, temp.files()]).toEqual([
      [
        {
          upload: uploadRef(orphan),
          removed: 1,
          files: [`${fencingToken}.original`],
          reason: 'no record and no manifest',
        },
        { upload: uploadRef(orphan), removed: 1, files: [`${fencingToken}.original`], reason: 'unfinished' },
        { restored: 0, removed: 1, unfinished: 1 },
      ],
      [],
    ]);
  });

  test('removes nothing if it would remove an unusual number of uploads, unless that is allowed once', async () => {
    const removed = async () => {
      const before = temp.files().length;
      await reconcileStorage(parts(), SIGNAL);
      return before - temp.files().length;
    };
    for (let index = 0; index < 101; index++) await put(originalKey(randomUUID(), randomUUID()));
    await age(25 * 3_600_000);
    const errors: unknown[] = [];
    const log = overriding(silentLog, { error: (line: object) => void errors.push(line) });
    await reconcileStorage({ ...parts(), log }, SIGNAL);
    expect([errors, temp.files().length]).toEqual([
      [{ wouldRemove: 101, seen: 101, advice: expect.stringContaining('docs/storage.md') }],
      101,
    ]);
    expect(await removed()).toBe(0);
    await space.connection.set(space.keys.removalPermit, '100');
    expect(await removed()).toBe(0);
    await space.connection.set(space.keys.removalPermit, '101');
    expect(await removed()).toBe(101);
    expect(await space.connection.exists(space.keys.removalPermit)).toBe(0);
  });
});

/** Returns an id whose files lie in the folder `shard`. */
function idIn(shard: string): string {
  return `${shard}${randomUUID().slice(2)}`;
}

async function writeForeign(path: string): Promise<void> {
  await mkdir(dirname(join(temp.directory, path)), { recursive: true });
  await writeFile(join(temp.directory, path), 'x');
}
