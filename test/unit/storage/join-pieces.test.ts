import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { DirectParts } from '../../../src/storage/direct-parts.ts';
import { joinPieces, planParts } from '../../../src/storage/join-pieces.ts';
import { originalKey, partKey } from '../../../src/storage/keys.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { lengthOf, type Piece } from '../../../src/storage/stored-pieces.ts';
import { UploadParts } from '../../../src/storage/upload-parts.ts';
import { overriding } from '../../helpers/overriding.ts';
import { at, refuse } from '../../helpers/s3-server.ts';
import { holds, openS3Storage, type TempS3 } from '../../helpers/s3-storage.ts';

const MIB = 1024 * 1024;

function piece(mib: number, key = 'a'): Piece {
  return { key, start: 0, end: mib * MIB - 1 };
}

describe('the plan of a join', () => {
  /** Returns the pieces of each part as `key from-to` in MiB. */
  function planned(...pieces: Piece[]): string[] {
    const text = ({ key, start, end }: Piece) => `${key} ${start / MIB}-${(end + 1) / MIB}`;
    return planParts(pieces).map((part) => part.map(text).join(', '));
  }

  test.each([
    ['copies long pieces as they are', [piece(8), piece(5, 'b')], ['a 0-8', 'b 0-5']],
    ['splits a piece into equal parts of at most 64 MiB', [piece(100)], ['a 0-50', 'a 50-100']],
    ['fills a short piece up with the beginning of the next one', [piece(3), piece(8, 'b')], ['a 0-3, b 0-2', 'b 2-8']],
    ['takes a whole piece if its rest would be too short', [piece(1), piece(8, 'b')], ['a 0-1, b 0-8']],
    [
      'takes as many short pieces as a part needs',
      [piece(2), piece(2, 'b'), piece(2, 'c'), piece(1, 'd')],
      ['a 0-2, b 0-2, c 0-2', 'd 0-1'],
    ],
    ['allows a short last part', [piece(6), piece(1, 'b')], ['a 0-6', 'b 0-1']],
  ])('%s', (_, pieces, parts) => {
    expect(planned(...pieces)).toEqual(parts);
  });

  test.each([6, 1024, 5 * 1024])('copies a partial upload of %i GiB with ranges that S3 accepts', (gib) => {
    const parts = planParts([piece(3), piece(gib * 1024 - 3, 'b'), piece(2, 'c')]);
    const lengths = parts.map(lengthOf);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe((gib * 1024 + 2) * MIB);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(5 * 1024 * MIB);
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThanOrEqual(5 * MIB);
    expect(parts.length).toBeLessThanOrEqual(9_000);
  });
});

describe('joining pieces in a bucket', () => {
  const bytes = randomBytes(15 * MIB);
  let temp: TempS3;
  let parts: UploadParts;
  let key: string;
  /** The pieces have 7, 1, 6 and 1 MiB. The second and the third make one part. */
  const pieces: Piece[] = [];

  beforeAll(async () => {
    temp = await openS3Storage();
    let start = 0;
    for (const mib of [7, 1, 6, 1]) {
      const from = partKey(randomUUID(), 0, 'abcdefabcdef');
      await putObject(temp.storage, from, bytes.subarray(start, start + mib * MIB));
      pieces.push(piece(mib, from));
      start += mib * MIB;
    }
  });
  afterAll(async () => await temp.remove());
  beforeEach(() => {
    temp.server.fault = undefined;
    temp.server.operations.length = 0;
    const of = { id: randomUUID(), fencingToken: randomUUID(), totalBytes: bytes.length };
    key = originalKey(of.id, of.fencingToken);
    parts = new UploadParts(temp.storage, of);
  });

  const count = (name: string) => temp.server.operations.filter((operation) => operation === name).length;

  test('copies long pieces in the bucket, and sends only short ones', async () => {
    expect(await parts.joinFrom(pieces)).toBe(true);
    expect([count('UploadPartCopy'), count('UploadPart'), count('GetObject')]).toEqual([1, 2, 3]);
    expect(await holds(temp.storage, key, bytes)).toBe(true);
    expect(await parts.stored()).toMatchObject({ isJoined: true, bytes: bytes.length });
  });

  test.each([
    [501, 'NotImplemented'],
    [400, 'InvalidArgument'],
    [405, 'MethodNotAllowed'],
  ])('makes nothing in a bucket that cannot copy ranges (%i %s)', async (status, name) => {
    temp.server.fault = at('UploadPartCopy', (asked) => refuse(asked, status, name));
    expect(await parts.joinFrom(pieces)).toBe(false);
    expect([await temp.storage.stat(key), temp.server.memory.uploads.size]).toEqual([undefined, 0]);
  });

  test.each([
    [400, 'NoSuchUpload'],
    [400, 'QuotaExceeded'],
    [401, 'Unauthorized'],
    [403, 'AccessDenied'],
    [404, 'NoSuchKey'],
  ])('leaves nothing and rejects if a copy fails for another reason (%i %s)', async (status, name) => {
    temp.server.fault = at('UploadPartCopy', (asked) => refuse(asked, status, name));
    await expect(parts.joinFrom(pieces)).rejects.toThrow();
    expect([await temp.storage.stat(key), temp.server.memory.uploads.size]).toEqual([undefined, 0]);
  });

  test('makes nothing if one copy was not possible, even if a later one succeeds', async () => {
    const completed: string[] = [];
    const storedAt = new Date();
    const direct = overriding<DirectParts>(temp.storage.direct, {
      copy: async (_, number) => {
        if (number === 1) return false;
        await setImmediate();
        return true;
      },
      list: () => Promise.resolve([1, 2].map((number) => ({ number, sizeBytes: 8 * MIB, etag: '', storedAt }))),
      complete: ({ uploadId }) => Promise.resolve(completed.push(uploadId) > 0),
    });
    const read = () => Promise.reject(new Error('no piece is read'));
    expect(await joinPieces({ direct, key, read }, [piece(8), piece(8, 'b')])).toBe(false);
    expect(completed).toEqual([]);
  });

  test('copies an object in ranges if it is too large for one copy', async () => {
    const [from] = pieces;
    temp.server.fault = at('CopyObject', (asked) => refuse(asked, 400, 'InvalidRequest'));
    expect(await temp.storage.duplicate(from?.key ?? '', key)).toBe(true);
    expect(count('UploadPartCopy')).toBe(1);
    expect(await holds(temp.storage, key, bytes.subarray(0, 7 * MIB))).toBe(true);
  });

  test('rejects a copy with the reason of the bucket if it cannot copy ranges either', async () => {
    temp.server.fault = (asked) =>
      asked.operation.includes('Copy') ? refuse(asked, 400, 'InvalidRequest') : asked.proceed();
    await expect(temp.storage.duplicate(pieces[0]?.key ?? '', key)).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect([await temp.storage.stat(key), temp.server.memory.uploads.size]).toEqual([undefined, 0]);
  });

  test('leaves many short pieces to a worker', async () => {
    const short = Array.from({ length: 257 }, () => ({ key, start: 0, end: 99 }));
    expect(await parts.joinFrom(short)).toBe(false);
    expect(temp.server.operations).toEqual([]);
  });
});
