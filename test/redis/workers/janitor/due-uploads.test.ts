import { describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { problemOf } from '../../../../src/errors.ts';
import { UploadRecords } from '../../../../src/record/record.ts';
import { OTHER_KIND } from '../../../../src/queue/contract.ts';
import { UploadQueue } from '../../../../src/queue/upload-queue.ts';
import { manifestKey, originalKey, uploadPrefix, variantKey } from '../../../../src/storage/keys.ts';
import { handleDueUploads } from '../../../../workers/janitor/due-uploads.ts';
import { applied, newUpload, RESULT, silentLog, STORED, uploadIn } from '../../../helpers/record-space.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { overriding } from '../../../helpers/overriding.ts';
import { NEVER, openJanitorSpace, type JanitorSpace } from '../../../helpers/janitor-space.ts';
import { useSpace } from '../../../helpers/use-space.ts';

let janitor: JanitorSpace;

useSpace('test', openJanitorSpace, (opened) => (janitor = opened));

describe('the handling of due uploads', () => {
  test('ends an upload that was silent too long as upload_interrupted, and removes its files', async () => {
    const records = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    await janitor.put(originalKey(upload.id, randomUUID()));
    await handleDueUploads(janitor.parts(records), NEVER);
    expect((await records.read(upload.id))?.record).toMatchObject({
      state: 'failed',
      error: { code: 'upload_interrupted', state: 'failed', final: true },
    });
    expect(janitor.files()).toEqual([]);
  });

  test('queues an upload that was silent too long if all its bytes are stored', async () => {
    const records = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    await janitor.storedUpload(upload.id, { fencingToken: upload.fencingToken });
    await handleDueUploads(janitor.parts(records), NEVER);
    expect((await records.read(upload.id))?.record).toMatchObject({
      state: 'queued',
      stored: true,
      fencingToken: upload.fencingToken,
      type: STORED.type,
      percent: 30,
    });
    expect([janitor.permits, janitor.files().length]).toEqual([[OTHER_KIND], 2]);
  });

  test('takes the last of several requests under one id if the record names none as stored', async () => {
    const records = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    await janitor.storedUpload(upload.id, { sequence: 3 });
    const last = await janitor.storedUpload(upload.id, { sequence: 5 });
    await janitor.storedUpload(upload.id, { sequence: 4 });
    await handleDueUploads(janitor.parts(records), NEVER);
    expect((await records.read(upload.id))?.record).toMatchObject({ state: 'queued', fencingToken: last.fencingToken });
  });

  test('restores an accepted upload of which Redis has only an earlier, failed state', async () => {
    const { id } = await uploadIn(janitor.records, 'failed');
    const failed = (await janitor.records.read(id))?.record;
    const createdAt = new Date(failed?.createdAtMs ?? 0).toISOString();
    const accepted = await janitor.storedUpload(id, { createdAt, sequence: (failed?.version ?? 0) + 1 });
    await janitor.connection.zadd(janitor.keys.due, 1, id);
    await handleDueUploads(janitor.parts(), NEVER);
    expect(janitor.files().length).toBe(2);
    expect((await janitor.records.read(id))?.record).toMatchObject({
      state: 'queued',
      fencingToken: accepted.fencingToken,
    });
  });

  test('removes the files of an earlier request than the failure', async () => {
    const { id } = await uploadIn(janitor.records, 'failed');
    const failed = (await janitor.records.read(id))?.record;
    const createdAt = new Date(failed?.createdAtMs ?? 0).toISOString();
    await janitor.storedUpload(id, { createdAt, sequence: failed?.lifeVersion ?? 0 });
    await janitor.connection.zadd(janitor.keys.due, 1, id);
    await handleDueUploads(janitor.parts(), NEVER);
    expect(janitor.files()).toEqual([]);
  });

  test('removes manifests before bytes, so that a removal that breaks off leaves none without bytes', async () => {
    const { id } = await uploadIn(janitor.records, 'cancelled');
    for (let files = 0; files < 3; files += 1) await janitor.storedUpload(id);
    await janitor.connection.zadd(janitor.keys.due, 1, id);
    let removals = 0;
    const remove = async (key: string): Promise<void> => {
      if ((removals += 1) > 3) throw new Error('storage away');
      await janitor.storage.remove(key);
    };
    await handleDueUploads({ ...janitor.parts(), storage: overriding(janitor.storage, { remove }) }, NEVER);
    expect(janitor.files().map((key) => key.split('.')[1])).toEqual(['original', 'original', 'original']);
  });

  test('removes files that no scan restores: their manifest has no sequence', async () => {
    const { id } = await uploadIn(janitor.records, 'failed');
    const createdAt = new Date(((await janitor.records.read(id))?.record.createdAtMs ?? 0) + 1000).toISOString();
    await janitor.storedUpload(id, { createdAt });
    await janitor.connection.zadd(janitor.keys.due, 1, id);
    await handleDueUploads(janitor.parts(), NEVER);
    expect(janitor.files()).toEqual([]);
  });

  test('keeps an upload due that is still receiving afterwards', async () => {
    const records = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await records.open(upload));
    const losing = overriding(records, {
      interrupt: async () => ({ applied: false, rejection: 'fenced', record: undefined }),
    });
    await handleDueUploads(janitor.parts(losing), NEVER);
    expect([await janitor.stateOf(upload.id), (await janitor.sets.due(10)).ids]).toEqual(['receiving', [upload.id]]);
  });

  test('does not touch an upload that has received bytes in the meantime', async () => {
    const { id, fencingToken } = await uploadIn(janitor.records, 'receiving');
    await handleDueUploads(janitor.parts(), NEVER);
    await janitor.records.receive(id, fencingToken, 1, 10);
    let reads = 0;
    const records = overriding(janitor.records, {
      async read(of) {
        const read = await janitor.records.read(of);
        if (reads++ === 0) await janitor.records.receive(id, fencingToken, 2, 10);
        return read;
      },
    });
    const due = overriding(janitor.sets, {
      due: async () => ({ nowMs: Date.now(), ids: [id] }),
      isDue: async () => true,
    });
    await handleDueUploads({ ...janitor.parts(records), sets: due }, NEVER);
    expect(reads).toBeGreaterThan(0);
    expect(await janitor.stateOf(id)).toBe('receiving');
  });

  test('does not queue the file of an earlier request after another one has taken over', async () => {
    const silent = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 60_000, silenceMs: 0 });
    const upload = newUpload();
    applied(await silent.open(upload));
    await janitor.storedUpload(upload.id, { fencingToken: upload.fencingToken });
    const taken = overriding(janitor.sets, {
      async due(limit: number) {
        const found = await janitor.sets.due(limit);
        applied(await janitor.records.open({ ...upload, fencingToken: 'later' }));
        return found;
      },
    });
    await handleDueUploads({ ...janitor.parts(), sets: taken }, NEVER);
    expect((await janitor.records.read(upload.id))?.record).toMatchObject({
      state: 'receiving',
      fencingToken: 'later',
    });
  });

  test('removes the files of cancelled and deleted uploads, and keeps those of completed ones', async () => {
    const living = await uploadIn(janitor.records, 'completed');
    const cancelled = await uploadIn(janitor.records, 'cancelled');
    const deleted = await uploadIn(janitor.records, 'completed');
    await janitor.records.delete(deleted.id);
    for (const { id, fencingToken } of [living, cancelled, deleted]) await janitor.put(originalKey(id, fencingToken));
    await handleDueUploads(janitor.parts(), NEVER);
    expect(janitor.files()).toEqual([originalKey(living.id, living.fencingToken)]);
    expect((await janitor.sets.due(10)).ids).toEqual([]);
  });

  test('adds the permit of a silent attempt again if it does not exist any more', async () => {
    const records = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 60_000, silenceMs: 0 });
    const real = new UploadQueue(janitor.connection, janitor.keys, silentLog);
    const [kept, lost] = [await uploadIn(records, 'queued'), await uploadIn(records, 'queued')];
    await real.add(OTHER_KIND);
    for (const id of ['1', 'lost']) await records.take({ kind: OTHER_KIND, id });
    await handleDueUploads({ ...janitor.parts(records), queue: real }, NEVER);
    expect(await janitor.connection.hget(`${janitor.keys.bullPrefix}:uploads:2`, 'data')).toBe('{"permit":"lost"}');
    expect([kept.id, (await real.counts()).waiting]).toEqual([kept.id, 2]);
    const again = await records.take({ kind: OTHER_KIND, id: '2', replaces: 'lost' });
    expect(!again.nothing && applied(again.outcome).record).toMatchObject({ id: lost.id, attempt: 2, deaths: 1 });
    await real.close();
  });

  test('removes all files at the end of the retention', async () => {
    const records = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 1 });
    const { id, fencingToken } = await uploadIn(records, 'completed');
    await janitor.put(originalKey(id, fencingToken));
    await eventually('it to be due', async () => (await janitor.sets.due(10)).ids.length > 0);
    await handleDueUploads(janitor.parts(records), NEVER);
    expect(janitor.files()).toEqual([]);
  });

  test('retries an upload whose handling fails after growing pauses, and handles the others', async () => {
    const ids = [(await uploadIn(janitor.records, 'cancelled')).id, (await uploadIn(janitor.records, 'cancelled')).id];
    const bad = ids[0] ?? '';
    const list = (prefix: string) => {
      if (prefix === uploadPrefix(bad)) throw new Error('the disk is busy');
      return janitor.storage.list(prefix);
    };
    const storage = overriding(janitor.storage, { list });
    const failing = { records: janitor.records, sets: janitor.sets, queue: janitor.queue, log: silentLog, storage };
    const pauses: number[] = [];
    for (let sweep = 0; sweep < 3; sweep++) {
      await janitor.connection.zadd(janitor.keys.due, 'XX', 1, bad);
      const beforeMs = await janitor.redisNowMs();
      await handleDueUploads(failing, NEVER);
      pauses.push(Number(await janitor.connection.zscore(janitor.keys.due, bad)) - beforeMs);
    }
    for (const [index, pauseMs] of pauses.entries()) expect(pauseMs).toBeGreaterThanOrEqual(15_000 * 2 ** index);
    expect((await janitor.sets.due(10)).ids).toEqual([]);
    await janitor.connection.zadd(janitor.keys.due, 1, bad);
    await handleDueUploads(janitor.parts(), NEVER);
    expect(await janitor.connection.exists(janitor.keys.putOff)).toBe(0);
  });

  test('handles more uploads in one sweep than one batch holds', async () => {
    const ids = Array.from({ length: 501 }, () => randomUUID());
    await janitor.connection.zadd(janitor.keys.due, ...ids.flatMap((id) => [1, id]));
    await handleDueUploads(janitor.parts(), NEVER);
    expect(await janitor.connection.zcard(janitor.keys.due)).toBe(0);
  });
});

describe('the removal of files of overtaken requests and attempts', () => {
  const SILENCE_MS = 60_000;
  const patient = () =>
    new UploadRecords(janitor.store, janitor.keys, { retentionMs: 3_600_000, silenceMs: SILENCE_MS });
  /** The same records at a time when every writer must have ended. */
  const later = () => new UploadRecords(janitor.store, janitor.keys, { retentionMs: 3_600_000, silenceMs: 0 });
  const dueInMs = async (id: string) => Number(await janitor.connection.zscore(janitor.keys.due, id)) - Date.now();

  test('runs at the end of the upload, and again when no writer can be left', async () => {
    const records = patient();
    const { id, fencingToken: overtaken } = await uploadIn(records, 'receiving');
    const { fencingToken } = await uploadIn(records, 'completed', { id });
    await janitor.put(originalKey(id, fencingToken));
    await janitor.put(originalKey(id, overtaken));
    await handleDueUploads(janitor.parts(records), NEVER);
    expect(janitor.files()).toEqual([originalKey(id, fencingToken)]);
    expect(await dueInMs(id)).toBeGreaterThan(0);
    expect(await dueInMs(id)).toBeLessThanOrEqual(SILENCE_MS);
    // A process leaves this if it is killed before it learns that it was overtaken.
    const unfinished = await janitor.storage.create(originalKey(id, overtaken));
    await janitor.put(manifestKey(id, overtaken));
    await handleDueUploads(
      {
        ...janitor.parts(later()),
        sets: overriding(janitor.sets, { due: async () => ({ nowMs: Date.now(), ids: [id] }) }),
      },
      NEVER,
    );
    expect(janitor.files()).toEqual([originalKey(id, fencingToken)]);
    await unfinished.discard();
  });

  test('runs a second time, and then only at the end of the retention', async () => {
    const records = later();
    const { id } = await uploadIn(records, 'receiving');
    await uploadIn(records, 'completed', { id });
    await eventually('it to be due', async () => (await janitor.sets.due(10)).ids.length > 0);
    await handleDueUploads(janitor.parts(records), NEVER);
    expect((await janitor.sets.due(10)).ids).toEqual([]);
    expect(await dueInMs(id)).toBeGreaterThan(SILENCE_MS);
  });

  test('runs a second time if the upload was cancelled while it was received', async () => {
    const records = patient();
    const { id, fencingToken } = await uploadIn(records, 'cancelled');
    await handleDueUploads(janitor.parts(records), NEVER);
    expect(await dueInMs(id)).toBeGreaterThan(0);
    await janitor.put(originalKey(id, fencingToken));
    await handleDueUploads(
      {
        ...janitor.parts(later()),
        sets: overriding(janitor.sets, { due: async () => ({ nowMs: Date.now(), ids: [id] }) }),
      },
      NEVER,
    );
    expect(janitor.files()).toEqual([]);
  });

  test('includes unfinished files of an attempt that was requeued while the storage was away', async () => {
    const records = later();
    const { id } = await uploadIn(records, 'processing');
    const unfinished = await janitor.storage.create(variantKey(id, 1, 'dot', 'png'));
    applied(await records.requeue(id, 1));
    applied(await records.begin(id));
    applied(await records.complete(id, 2, RESULT));
    await eventually('it to be due', async () => (await janitor.sets.due(10)).ids.length > 0);
    await handleDueUploads(janitor.parts(records), NEVER);
    expect(janitor.files()).toEqual([]);
    await unfinished.discard();
  });

  test('includes unfinished files of a request that ended while the storage was away', async () => {
    const records = later();
    const { id, fencingToken } = await uploadIn(records, 'receiving');
    const unfinished = await janitor.storage.create(originalKey(id, fencingToken));
    const problem = problemOf('storage_unavailable', 'Away.', id);
    applied(await records.reject(id, fencingToken, problem, { receivedBytes: 1, type: 'image/jpeg' }));
    await eventually('it to be due', async () => (await janitor.sets.due(10)).ids.length > 0);
    await handleDueUploads(janitor.parts(records), NEVER);
    expect(janitor.files()).toEqual([]);
    await unfinished.discard();
  });

  test('includes the empty folder of a deleted upload whose removal was interrupted', async () => {
    const { id } = await uploadIn(janitor.records, 'completed');
    await mkdir(join(janitor.directory, uploadPrefix(id)), { recursive: true });
    await janitor.records.delete(id);
    await handleDueUploads(janitor.parts(), NEVER);
    expect(await readdir(janitor.directory)).toEqual([]);
  });

  test('does not run after one request and one attempt', async () => {
    const { id } = await uploadIn(patient(), 'completed');
    expect(await dueInMs(id)).toBeGreaterThan(SILENCE_MS);
  });
});
