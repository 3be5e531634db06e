import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RecordBounds } from '../../src/record/record-count.ts';
import { countRecords } from '../../src/record/record-count.ts';
import { UploadRecords } from '../../src/record/record.ts';
import { eventually } from '../helpers/eventually.ts';
import {
  applied,
  newUpload,
  openRecordSpace,
  PROBLEM,
  RESULT,
  STORED,
  uploadIn,
  verdict,
  type RecordSpace,
} from '../helpers/record-space.ts';
import { startRedisServer, type RedisServer } from '../helpers/redis-server.ts';

let redis: RedisServer;
let space: RecordSpace;

beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(async () => {
  await redis.stop();
});
beforeEach(async () => {
  space = await openRecordSpace(redis.url);
});
afterEach(async () => {
  await space.close();
});

const NONE = { receivedBytes: 0, type: null };
const bounds = (most: number, owner?: string, mostOfOwner = 100): RecordBounds => ({
  most,
  mostOfOwner,
  ...(owner === undefined ? {} : { owner }),
});
const open = async (given: RecordBounds, announced = newUpload()) =>
  verdict(await space.records.open(announced, undefined, given));
const count = async (owner?: string) => await countRecords(space.store, space.keys, owner);
const hashes = async () => await space.connection.keys(space.keys.record('*'));

describe('the number of records', () => {
  test('is limited: one upload over the limit is rejected and creates no record', async () => {
    expect([await open(bounds(2)), await open(bounds(2)), await open(bounds(2))]).toEqual([
      'applied',
      'applied',
      'records',
    ]);
    expect([(await hashes()).length, (await count()).live]).toEqual([2, 2]);
  });

  test('does not affect an upload that has a record already', async () => {
    const upload = newUpload();
    await open(bounds(1), upload);
    await space.records.reject(upload.id, upload.fencingToken, PROBLEM, NONE);
    expect(await open(bounds(1), { ...upload, fencingToken: 'another' })).toBe('applied');
    expect((await count()).live).toBe(1);
  });

  test('goes down when Redis drops a record, and when one is forgotten', async () => {
    const records = new UploadRecords(space.store, space.keys, { retentionMs: 1 });
    const upload = newUpload();
    applied(await records.open(upload));
    applied(await records.cancel(upload.id));
    await eventually('the record to be dropped', async () => (await count()).live === 0);
    const other = newUpload();
    const { record } = applied(await space.records.open(other));
    await space.records.forget(other.id, record?.publicId ?? '');
    expect([(await count()).live, await hashes()]).toEqual([0, []]);
  });

  test('equals the number of keys after every kind of change', async () => {
    const { records } = space;
    for (const state of ['receiving', 'queued', 'processing', 'completed', 'failed', 'cancelled'] as const) {
      for (const owner of [undefined, 'somebody']) {
        const upload = newUpload();
        await open(bounds(1000, owner), upload);
        const { id } = upload;
        await uploadIn(records, state, upload);
        if (state === 'completed') await records.delete(id);
        if (state === 'failed') await records.retry(id, (await records.read(id))?.record.version ?? 0);
        if (state === 'cancelled') await open(bounds(1000, 'another'), upload);
      }
    }
    const owned = await Promise.all(['somebody', 'another'].map(async (owner) => (await count(owner)).ofOwner));
    expect([(await count()).live, owned]).toEqual([(await hashes()).length, [5, 2]]);
    expect(await space.connection.hgetall(space.keys.recordOwners)).toEqual({ somebody: '5', another: '2' });
  });

  test('includes discarded uploads until Redis drops them', async () => {
    const limits = { capacity: 1, discards: true, perAddress: 0 };
    const [first, second] = [newUpload(), newUpload()];
    for (const { id, fencingToken } of [first, second]) {
      await open(bounds(9, 'somebody'), { ...newUpload(), id, fencingToken });
      applied(await space.records.enqueue(id, fencingToken, STORED, limits));
    }
    expect((await space.records.read(first.id))?.record.state).toBe('discarded');
    const score = Number(await space.connection.zscore(space.keys.records, `${first.id} somebody`));
    expect(score).toBeLessThanOrEqual(Date.now() + 2 * 60_000);
    expect((await count('somebody')).ofOwner).toBe(2);
  });
});

describe('the records of one owner', () => {
  test('have a limit of their own', async () => {
    const verdicts = [];
    for (const owner of ['a', 'a', 'a', 'b']) verdicts.push(await open(bounds(100, owner, 2)));
    expect(verdicts).toEqual(['applied', 'applied', 'owned', 'applied']);
  });

  test('belong to the owner that began the last life of the upload', async () => {
    const upload = newUpload();
    await open(bounds(9, 'a'), upload);
    await space.records.cancel(upload.id);
    await open(bounds(9, 'b'), { ...upload, fencingToken: 'another' });
    expect([(await count('a')).ofOwner, (await count('b')).ofOwner, (await count()).live]).toEqual([0, 1, 1]);
  });
});

describe('an upload that was rejected before it was stored', () => {
  const DAY_MS = 24 * 3_600_000;
  const keptMs = async (id: string) => await space.connection.pttl(space.keys.record(id));
  let records: UploadRecords;

  beforeEach(() => {
    records = new UploadRecords(space.store, space.keys, { retentionMs: DAY_MS });
  });

  test('answers for 5 minutes and is removed after 10, without its options', async () => {
    const upload = newUpload({ options: { a: 'long' } });
    const { id, fencingToken } = upload;
    applied(await records.open(upload));
    const { record } = applied(await records.reject(id, fencingToken, PROBLEM, NONE));
    expect((record?.expiresAtMs ?? 0) - (record?.updatedAtMs ?? 0)).toBe(300_000);
    expect(await keptMs(id)).toBeLessThanOrEqual(600_000);
    expect((await records.read(id))?.record).toMatchObject({
      state: 'failed',
      options: {},
      error: { code: PROBLEM.code },
    });
  });

  test('can still be recognized as a resumable upload', async () => {
    const upload = newUpload({ metadata: { filename: 'a.jpg', pad: 'x'.repeat(500) } });
    const { id, fencingToken } = upload;
    applied(await records.open(upload));
    applied(await records.reject(id, fencingToken, PROBLEM, { ...NONE, isResumable: true }));
    expect((await records.read(id))?.record.metadata).toEqual({});
  });

  test('is kept for the usual time if some of its bytes had arrived', async () => {
    const [silent, begun] = [newUpload(), newUpload()];
    for (const { id, fencingToken } of [silent, begun])
      applied(await records.open({ ...newUpload(), id, fencingToken }));
    applied(await records.receive(begun.id, begun.fencingToken, 10, 100));
    for (const { id } of [silent, begun])
      applied(await records.interrupt(id, (await records.read(id))?.record.version ?? 0, PROBLEM));
    expect(await keptMs(silent.id)).toBeLessThanOrEqual(600_000);
    expect(await keptMs(begun.id)).toBeGreaterThan(DAY_MS);
  });

  test('is kept for the usual time if it was stored', async () => {
    const { id } = await uploadIn(records, 'completed');
    expect((await records.read(id))?.record.result).toEqual(RESULT);
    expect(await keptMs(id)).toBeGreaterThan(DAY_MS);
  });
});
