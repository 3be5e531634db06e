import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Upload } from '@tus/server';
import { Readable } from 'node:stream';
import { Transfers } from '../../../../src/http/transfers.ts';
import { UploadRemoval } from '../../../../src/intake/removal.ts';
import { joinUploads } from '../../../../src/roads/tus/join-uploads.ts';
import { RedisLocker } from '../../../../src/roads/tus/redis-locker.ts';
import { TusStore, type TusStoreParts } from '../../../../src/roads/tus/tus-store.ts';
import { originalKey, parseKey, uploadPrefix } from '../../../../src/storage/keys.ts';
import { codeOf, freshId, jpegBytes } from '../../../helpers/fake-request.ts';
import { openIntakeSpace, SCOPE, type IntakeSpace } from '../../../helpers/intake-space.ts';
import { silentLog } from '../../../helpers/record-space.ts';
import { at, refuse } from '../../../helpers/s3-server.ts';
import { holds, openS3Storage, type TempS3 } from '../../../helpers/s3-storage.ts';
import { sharedRedis } from '../../../helpers/shared-redis.ts';

const MIB = 1024 * 1024;
const NEVER = new AbortController().signal;
const FILE = jpegBytes(22 * MIB);
/** The end of each request, for each partial upload. */
const ENDS = [[9 * MIB], [11 * MIB, 19 * MIB + 3], [FILE.length]];

let space: IntakeSpace;
let temp: TempS3;
let parts: TusStoreParts;
let ids: string[];

beforeEach(async () => {
  [space, temp] = await Promise.all([openIntakeSpace(await sharedRedis()), openS3Storage()]);
  const { storage } = temp;
  const removal = new UploadRemoval({ records: space.records, storage, transfers: new Transfers(), log: silentLog });
  parts = { ...space.parts, storage, removal, maxFileBytes: FILE.length, expiryMs: 60_000 };
  let start = 0;
  ids = [];
  for (const ends of ENDS) {
    ids.push(await partial(start, ends));
    start = ends.at(-1) ?? 0;
  }
  temp.server.operations.length = 0;
});
afterEach(async () => {
  await space.close();
  await temp.remove();
});

async function partial(start: number, ends: readonly number[]): Promise<string> {
  const id = freshId();
  const store = () => new TusStore(parts, SCOPE, { concat: { role: 'partial' } });
  await store().create(new Upload({ id, offset: 0, size: (ends.at(-1) ?? 0) - start, metadata: {} }));
  let from = start;
  for (const end of ends) {
    await store().write(Readable.from([FILE.subarray(from, end)]), id, from - start);
    from = end;
  }
  return id;
}

async function join(): Promise<string> {
  const id = freshId();
  const locker = new RedisLocker({ store: space.store, keys: space.keys, log: silentLog }, NEVER);
  await joinUploads(parts, SCOPE, locker, { id, metadata: {}, concat: { role: 'final', ids } }, NEVER);
  return id;
}

async function isWhole(id: string): Promise<boolean> {
  const token = (await space.records.read(id))?.record.fencingToken ?? '';
  return await holds(temp.storage, originalKey(id, token), FILE);
}

async function kindsOf(id: string): Promise<string[]> {
  const kinds: string[] = [];
  for await (const { key } of temp.storage.list(uploadPrefix(id))) kinds.push(parseKey(key)?.kind ?? 'unknown');
  return kinds.sort();
}

describe('the partial uploads of a file in a bucket', () => {
  test('are copied by the bucket, and the file is there with the answer', async () => {
    const id = await join();
    const copies = temp.server.operations.filter((operation) => operation === 'UploadPartCopy');
    expect([copies.length, temp.server.operations.includes('CopyObject')]).toEqual([2, false]);
    expect((await space.records.read(id))?.record.state).toBe('queued');
    expect(await isWhole(id)).toBe(true);
    expect(await kindsOf(id)).toEqual(['manifest', 'original']);
    expect([(await Promise.all(ids.map(kindsOf))).flat(), temp.server.memory.uploads.size]).toEqual([[], 0]);
  });

  test('are left to a worker by a bucket that cannot copy ranges', async () => {
    temp.server.fault = at('UploadPartCopy', (asked) => refuse(asked, 501, 'NotImplemented'));
    const id = await join();
    expect((await space.records.read(id))?.record.state).toBe('queued');
    expect(await kindsOf(id)).toEqual(['manifest', 'part', 'part', 'part']);
    expect(temp.server.memory.uploads.size).toBe(0);
  });

  test('stay for another try if the bucket fails', async () => {
    temp.server.fault = at('UploadPartCopy', (asked) => refuse(asked, 503, 'SlowDown'));
    expect(await codeOf(join())).toBe('service_unavailable');
    expect(temp.server.memory.uploads.size).toBe(0);
    temp.server.fault = undefined;
    expect(await isWhole(await join())).toBe(true);
  });
});
