import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { problemOf } from '../../src/errors.ts';
import { FailedUploads } from '../../src/record/failed-uploads.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';
import { applied, newUpload, openRecordSpace, silentLog, uploadIn, type RecordSpace } from '../helpers/record-space.ts';
import { startRedisServer, type RedisServer } from '../helpers/redis-server.ts';

const RETENTION_MS = 60_000;
const SERVICE_FAULT = problemOf('processing_failed', 'Processing failed.');
const TIMEOUT = problemOf('picture_timeout', 'It took too long.');

let redis: RedisServer;
let space: RecordSpace;
let failed: FailedUploads;
let permits: string[];

beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(async () => {
  await redis.stop();
});
beforeEach(async () => {
  space = await openRecordSpace(redis.url, RETENTION_MS);
  permits = [];
  const queue = { add: async (kind: string) => void permits.push(kind) };
  failed = new FailedUploads({ ...space, queue, log: silentLog }, RETENTION_MS);
});
afterEach(async () => {
  await space.close();
});

/** Makes an upload that fails because of the service: the first attempt died, and the second got half of the way. */
async function failedByUs(): Promise<string> {
  const { id } = await uploadIn(space.records, 'processing');
  const { attempt = 0, deaths } = applied(await space.records.begin(id)).record ?? {};
  expect([attempt, deaths]).toEqual([2, 1]);
  applied(await space.records.advance(id, attempt, 1, 'decode', 0.5));
  applied(await space.records.fail(id, attempt, SERVICE_FAULT));
  return id;
}

test('the list contains only failures that a retry may help, the newest first', async () => {
  await uploadIn(space.records, 'failed');
  await uploadIn(space.records, 'cancelled');
  const ids = [await failedByUs(), await failedByUs(), await failedByUs()];
  const { count, newest } = await failed.list(2);
  expect(count).toBe(3);
  expect(newest.every(({ ref }) => ids.map(uploadRef).includes(ref))).toBe(true);
  expect(newest).toHaveLength(2);
  expect(newest[0]).toMatchObject({
    name: 'a.jpg',
    type: 'image/jpeg',
    size: 1000,
    attempts: 2,
    code: 'processing_failed',
  });
});

test('an upload can be retried by its hash, and no error about it contains its id', async () => {
  const id = await failedByUs();
  await failed.retryListed(uploadRef(id));
  expect((await space.records.read(id))?.record.state).toBe('queued');
  await expect(failed.retryListed(uploadRef(id))).rejects.toMatchObject({ code: 'unknown_upload', id: undefined });
});

test('a retried upload waits like a new one, with its percent, and does not expire', async () => {
  const id = await failedByUs();
  const before = await space.records.read(id);
  await failed.retry(id);
  const after = await space.records.read(id);
  expect(after?.record).toMatchObject({
    state: 'queued',
    error: null,
    expiresAtMs: null,
    percent: before?.record.percent,
  });
  expect([after?.queuePosition, after?.record.version, permits.length]).toEqual([
    1,
    Number(before?.record.version) + 1,
    1,
  ]);
  expect([
    await space.connection.pttl(space.keys.record(id)),
    await space.connection.pttl(space.keys.publicId(after?.record.publicId ?? '')),
  ]).toEqual([-1, -1]);
  expect(await space.connection.zscore(space.keys.due, id)).toBeNull();
  expect(await failed.list(9)).toEqual({ count: 0, newest: [] });
});

test('a retry resets faults and deaths, continues the count of attempts, and may fail again', async () => {
  const id = await failedByUs();
  for (const attempts of [3, 4]) {
    await failed.retry(id);
    const { record } = applied(await space.records.begin(id));
    expect(record).toMatchObject({ attempt: attempts, faults: 0, deaths: 0 });
    applied(await space.records.fail(id, attempts, TIMEOUT));
    expect((await failed.list(9)).newest).toMatchObject([{ ref: uploadRef(id), attempts, code: 'picture_timeout' }]);
  }
});

test('only one of two retries at the same time is accepted', async () => {
  const id = await failedByUs();
  const outcomes = await Promise.allSettled([failed.retry(id), failed.retry(id)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(permits).toHaveLength(1);
});

test('a retry is rejected for an upload whose file is at fault, that is running, deleted or unknown', async () => {
  const refused = await uploadIn(space.records, 'failed');
  const running = await uploadIn(space.records, 'processing');
  const deleted = await failedByUs();
  applied(await space.records.delete(deleted));
  await expect(failed.retry(refused.id)).rejects.toMatchObject({ code: 'not_retryable' });
  await expect(failed.retry(running.id)).rejects.toMatchObject({ code: 'not_retryable' });
  await expect(failed.retry(deleted)).rejects.toMatchObject({ code: 'upload_gone' });
  await expect(failed.retry(randomUUID())).rejects.toMatchObject({ code: 'unknown_upload' });
  expect([permits, (await failed.list(9)).count]).toEqual([[], 0]);
});

test('an upload that its client has sent again is no longer listed', async () => {
  const id = await failedByUs();
  applied(await space.records.open(newUpload({ id })));
  expect((await failed.list(9)).count).toBe(0);
  await expect(failed.retry(id)).rejects.toMatchObject({ code: 'not_retryable' });
});

test('expired uploads are not counted, and are removed with the next failure', async () => {
  const id = await failedByUs();
  await space.connection.zadd(space.keys.failed, Date.now() - RETENTION_MS - 1, id);
  expect(await failed.list(9)).toEqual({ count: 0, newest: [] });
  const next = await failedByUs();
  expect(await space.connection.zrangebyscore(space.keys.failed, '-inf', '+inf')).toEqual([next]);
});
