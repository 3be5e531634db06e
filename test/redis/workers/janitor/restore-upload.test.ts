import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { UploadRecord } from '../../../../src/record/record-fields.ts';
import { UploadRecords } from '../../../../src/record/record.ts';
import { originalKey } from '../../../../src/storage/keys.ts';
import { handleDueUploads } from '../../../../workers/janitor/due-uploads.ts';
import { reconcileStorage } from '../../../../workers/janitor/reconciliation-scan.ts';
import { NEVER, openJanitorSpace, type JanitorSpace } from '../../../helpers/janitor-space.ts';
import { applied, newUpload, PROBLEM, STORED } from '../../../helpers/record-space.ts';

let janitor: JanitorSpace;

beforeEach(async () => {
  janitor = await openJanitorSpace();
});

afterEach(async () => await janitor.close());

/** Opens the upload, and stores its file and manifest. If it was accepted, Redis has lost that. */
async function storedRequest(id: string = randomUUID()): Promise<{ id: string; fencingToken: string }> {
  const upload = newUpload({ id });
  const { version, record } = applied(await janitor.records.open(upload));
  const createdAt = new Date(record?.createdAtMs ?? 0).toISOString();
  const { fencingToken } = upload;
  return await janitor.storedUpload(id, { fencingToken, createdAt, sequence: version });
}

/** Opens the upload, and rejects it before a byte is stored. */
async function brokenRequest(id: string): Promise<void> {
  const { fencingToken } = newUpload();
  applied(await janitor.records.open(newUpload({ id, fencingToken })));
  await reject(id, fencingToken);
}

async function reject(id: string, fencingToken: string): Promise<void> {
  applied(await janitor.records.reject(id, fencingToken, PROBLEM, { receivedBytes: 0, type: null }));
}

/** Processes the upload without success. */
async function fail(id: string): Promise<void> {
  const attempt = applied(await janitor.records.begin(id)).record?.attempt ?? 0;
  applied(await janitor.records.fail(id, attempt, PROBLEM));
}

async function handleDue(id: string, records: UploadRecords = janitor.records): Promise<void> {
  await janitor.connection.zadd(janitor.keys.due, 1, id);
  await handleDueUploads(janitor.parts(records), NEVER);
}

async function recordOf(id: string): Promise<UploadRecord | undefined> {
  return (await janitor.records.read(id))?.record;
}

describe('an accepted upload that Redis has lost', () => {
  test('is restored if an earlier request, which Redis still knows, fails after that', async () => {
    const upload = newUpload();
    const { version, record } = applied(await janitor.records.open(upload));
    const createdAt = new Date(record?.createdAtMs ?? 0).toISOString();
    const { fencingToken } = await janitor.storedUpload(upload.id, { createdAt, sequence: version + 1 });
    for (const bytes of [100, 200, 300]) await janitor.records.receive(upload.id, upload.fencingToken, bytes, 1000);
    await reject(upload.id, upload.fencingToken);
    await reconcileStorage(janitor.parts(), NEVER);
    expect(await recordOf(upload.id)).toMatchObject({ state: 'queued', fencingToken });
  });

  test('is restored if another request creates the record again and fails', async () => {
    const { id, fencingToken } = await janitor.storedUpload(randomUUID(), { sequence: 1 });
    const later = newUpload({ id });
    applied(await janitor.records.open(later));
    await handleDueUploads(janitor.parts(), NEVER);
    expect(janitor.files().length).toBe(2);
    await reject(id, later.fencingToken);
    await reconcileStorage(janitor.parts(), NEVER);
    expect(await recordOf(id)).toMatchObject({ state: 'queued', fencingToken, createdAtMs: 0 });
  });

  test.each([1, 2])(
    'is restored when it is due if Redis knows its beginning, and %d later requests fail',
    async (count) => {
      const { id, fencingToken } = await storedRequest();
      for (let requests = 0; requests < count; requests += 1) await brokenRequest(id);
      await handleDue(id);
      expect(await recordOf(id)).toMatchObject({ state: 'queued', fencingToken });
    },
  );

  test('is restored if a later request has left a file, although it was rejected', async () => {
    const { id, fencingToken } = await storedRequest();
    const later = await storedRequest(id);
    await reject(id, later.fencingToken);
    await handleDue(id);
    expect(await recordOf(id)).toMatchObject({ state: 'queued', fencingToken });
    expect(janitor.files().every((key) => key.includes(fencingToken))).toBe(true);
  });

  test('is restored also if the failure of the later request has expired', async () => {
    const { id, fencingToken } = await storedRequest();
    const later = newUpload({ id });
    applied(await janitor.records.open(later));
    await reject(id, later.fencingToken);
    await janitor.connection.hset(janitor.keys.record(id), 'expiresAt', '1');
    await handleDue(id);
    expect(await recordOf(id)).toMatchObject({ state: 'queued', fencingToken });
  });

  test('is restored from an earlier request if the bytes of a later one are gone', async () => {
    const id = randomUUID();
    const earlier = await janitor.storedUpload(id, { sequence: 1 });
    const later = await janitor.storedUpload(id, { sequence: 2 });
    await janitor.storage.remove(originalKey(id, later.fencingToken));
    await reconcileStorage(janitor.parts(), NEVER);
    expect((await recordOf(id))?.fencingToken).toBe(earlier.fencingToken);
  });
});

describe('an upload that Redis has not lost', () => {
  test('is not restored if it failed before a later request began it again and failed or died', async () => {
    const silent = new UploadRecords(janitor.store, janitor.keys, { retentionMs: 60_000, silenceMs: 0 });
    for (const isKilled of [false, true]) {
      const { id, fencingToken } = await storedRequest();
      applied(await janitor.records.enqueue(id, fencingToken, STORED));
      await fail(id);
      if (isKilled) applied(await silent.open(newUpload({ id })));
      else await brokenRequest(id);
      await handleDue(id, silent);
      await reconcileStorage(janitor.parts(), NEVER);
      expect([(await recordOf(id))?.state, janitor.files()]).toEqual(['failed', []]);
    }
  });

  test('is not restored if its own request was rejected, and a later one fails', async () => {
    const { id, fencingToken } = await storedRequest();
    await reject(id, fencingToken);
    await brokenRequest(id);
    await handleDue(id);
    expect([(await recordOf(id))?.state, janitor.files()]).toEqual(['failed', []]);
  });

  test('is not restored if its request was rejected after another one had taken over, and that one fails', async () => {
    const { id, fencingToken } = await storedRequest();
    const later = newUpload({ id });
    applied(await janitor.records.open(later));
    // The storage was away, so the rejected request could not remove its files.
    const found = { receivedBytes: 0, type: null };
    expect(await janitor.records.reject(id, fencingToken, PROBLEM, found)).toMatchObject({ rejection: 'fenced' });
    await reject(id, later.fencingToken);
    await handleDue(id);
    expect([(await recordOf(id))?.state, janitor.files()]).toEqual(['failed', []]);
  });

  test('is not restored if it was cancelled while another process stored a small file and was killed', async () => {
    const { id, fencingToken } = await storedRequest();
    applied(await janitor.records.enqueue(id, fencingToken, STORED));
    const createdAt = new Date(((await recordOf(id))?.createdAtMs ?? 0) + 1).toISOString();
    await janitor.storedUpload(id, { createdAt, sequence: 1 });
    await new Promise((resolve) => setTimeout(resolve, 2));
    applied(await janitor.records.cancel(id));
    await reconcileStorage(janitor.parts(), NEVER);
    await handleDue(id);
    expect([(await recordOf(id))?.state, janitor.files()]).toEqual(['cancelled', []]);
  });

  test('is not restored if it was cancelled or deleted before a later request failed', async () => {
    const { id, fencingToken } = await storedRequest();
    applied(await janitor.records.enqueue(id, fencingToken, STORED));
    applied(await janitor.records.cancel(id));
    await brokenRequest(id);
    await handleDue(id);
    expect([(await recordOf(id))?.state, janitor.files()]).toEqual(['failed', []]);
    applied(await janitor.records.delete(id));
    await janitor.storedUpload(id, { createdAt: new Date(Date.now() + 60_000).toISOString(), sequence: 1 });
    await handleDue(id);
    await reconcileStorage(janitor.parts(), NEVER);
    expect([(await recordOf(id))?.deleted, janitor.files()]).toEqual([true, []]);
  });

  test('is not replaced by an earlier one of its id if its bytes were stored', async () => {
    const { id, fencingToken } = await storedRequest();
    applied(await janitor.records.enqueue(id, fencingToken, STORED));
    await fail(id);
    const before = await recordOf(id);
    await janitor.storedUpload(id, { sequence: 1 });
    await reconcileStorage(janitor.parts(), NEVER);
    expect(await recordOf(id)).toEqual(before);
  });

  test('is not replaced by one whose bytes are gone, but that one is restored without a record', async () => {
    const { id, fencingToken } = await storedRequest();
    applied(await janitor.records.enqueue(id, fencingToken, STORED));
    await fail(id);
    const createdAt = new Date(Date.now() + 60_000).toISOString();
    const lost = await janitor.storedUpload(id, { createdAt, sequence: 1 });
    await janitor.storage.remove(originalKey(id, lost.fencingToken));
    await reconcileStorage(janitor.parts(), NEVER);
    expect((await recordOf(id))?.state).toBe('failed');
    await janitor.connection.del(janitor.keys.record(id), janitor.keys.reconciled);
    await janitor.storage.remove(originalKey(id, fencingToken));
    await reconcileStorage(janitor.parts(), NEVER);
    expect((await recordOf(id))?.state).toBe('queued');
  });
});
