import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { originalKey, partsPrefix } from '../../../src/storage/keys.ts';
import type { PartWriter } from '../../../src/storage/part-writer.ts';
import type { StoredPieces } from '../../../src/storage/stored-pieces.ts';
import { UploadParts } from '../../../src/storage/upload-parts.ts';
import { holds, openS3Storage, S3_PREFIX, type TempS3 } from '../../helpers/s3-storage.ts';
import { at, refuse } from '../../helpers/s3-server.ts';

/** An eighth of the default, because a large part proves no more. */
const PART_BYTES = 1024 * 1024;
const EIGHTH = PART_BYTES / 8;
const bytes = randomBytes(21 * EIGHTH + 5);

let temp: TempS3;
let id: string;
let key: string;
let parts: UploadParts;

beforeAll(async () => {
  temp = await openS3Storage();
  temp.server.memory.leastPartBytes = PART_BYTES;
});
afterAll(async () => await temp.remove());
beforeEach(() => {
  temp.server.fault = undefined;
  temp.server.operations.length = 0;
  id = randomUUID();
  const fencingToken = randomUUID();
  key = originalKey(id, fencingToken);
  parts = new UploadParts(temp.storage, { id, fencingToken, totalBytes: bytes.length }, PART_BYTES);
});

async function append(to: number, stored?: StoredPieces): Promise<void> {
  const from = stored ?? (await parts.stored());
  const writer = parts.append(from.bytes, { stored: from });
  await send(writer, from.bytes, to);
  await writer.commit();
  expect(writer.offset).toBe(to);
}

/** Sends chunks as they come from a socket. */
async function send(writer: PartWriter, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += 125_000)
    await writer.write(bytes.subarray(start, Math.min(to, start + 125_000)));
}

async function expectWhole(): Promise<void> {
  const stored = await parts.stored();
  expect(stored).toMatchObject({ bytes: bytes.length, isJoined: false });
  await parts.completeFilled(stored);
  const joined = await parts.stored();
  expect(joined).toMatchObject({ bytes: bytes.length, isJoined: true });
  await parts.remove(joined.keys);
  expect(await holds(temp.storage, key, bytes)).toBe(true);
  expect(leftIn()).toEqual([]);
}

function leftIn(): string[] {
  const { objects, uploads } = temp.server.memory;
  const below = `${S3_PREFIX}/${partsPrefix(id)}/`;
  const unfinished = [...uploads.values()].map((upload) => upload.key).filter((name) => name.includes(id));
  return [...[...objects.keys()].filter((name) => name.startsWith(below)), ...unfinished];
}

describe('the parts of a resumable upload in a bucket', () => {
  test('are the parts of one multipart upload, and no byte in them is read again', async () => {
    await append(8 * EIGHTH);
    await append(16 * EIGHTH);
    await append(bytes.length);
    await expectWhole();
    const count = (name: string) => temp.server.operations.filter((operation) => operation === name).length;
    // The only object besides the file is the rest of the last request, which does not fill a part.
    expect([count('UploadPart'), count('PutObject'), count('GetObject'), count('CompleteMultipartUpload')]).toEqual([
      3, 1, 2, 1,
    ]);
  });

  test('may come in requests of any size', async () => {
    for (const to of [5, 3 * EIGHTH, 3 * EIGHTH + 1, 12 * EIGHTH, 12 * EIGHTH + 7, 20 * EIGHTH, bytes.length])
      await append(to);
    await expectWhole();
  });

  test('are right if a paused request continues after later ones', async () => {
    await append(8 * EIGHTH);
    const before = await parts.stored();
    const paused = parts.append(before.bytes, { stored: before });
    await send(paused, before.bytes, 12 * EIGHTH);
    await append(9 * EIGHTH);
    await append(18 * EIGHTH);
    // Its part has the same bytes as the part that it replaces.
    await send(paused, 12 * EIGHTH, 17 * EIGHTH);
    await paused.commit();
    await append(bytes.length);
    await expectWhole();
  });

  test('are in one multipart upload if two requests begin it at the same time', async () => {
    const before = await parts.stored();
    const writers = [0, 1].map(() => parts.append(0, { stored: before }));
    await Promise.allSettled(
      writers.map(async (writer) => {
        await send(writer, 0, 9 * EIGHTH);
        await writer.commit();
      }),
    );
    const { bytes: stored } = await parts.stored();
    for (const { offset } of writers) expect(stored).toBeGreaterThanOrEqual(offset);
    await append(bytes.length);
    await expectWhole();
  });

  test('keep the bytes that were acknowledged if a part does not arrive', async () => {
    await append(9 * EIGHTH);
    const before = await parts.stored();
    const writer = parts.append(before.bytes, { stored: before });
    temp.server.fault = at('UploadPart', (request) => refuse(request, 403, 'AccessDenied'));
    await expect(send(writer, before.bytes, bytes.length).then(() => writer.commit())).rejects.toThrow();
    await writer.discard();
    temp.server.fault = undefined;
    expect([writer.offset, (await parts.stored()).bytes]).toEqual([9 * EIGHTH, 9 * EIGHTH]);
    await append(bytes.length);
    await expectWhole();
  });

  test('become the file if an earlier end has failed after the last part', async () => {
    await append(bytes.length);
    temp.server.fault = at('CompleteMultipartUpload', (request) => refuse(request, 403, 'AccessDenied'));
    await expect(parts.completeFilled(await parts.stored())).rejects.toThrow();
    temp.server.fault = undefined;
    await expectWhole();
  });

  test('follow bytes with a checksum, which are an object of their own', async () => {
    const writer = parts.append(0, { isOnePart: true, stored: await parts.stored() });
    await send(writer, 0, 10 * EIGHTH);
    await writer.commit();
    await append(bytes.length);
    await expectWhole();
  });

  test('are objects of their own if the server cannot list multipart uploads', async () => {
    temp.server.fault = at('ListMultipartUploads', (request) => refuse(request, 501, 'NotImplemented'));
    await append(9 * EIGHTH);
    await append(bytes.length);
    const stored = await parts.stored();
    expect([stored.bytes, stored.filled, (await parts.bytesAt(stored, 0, 5))?.length]).toEqual([
      bytes.length,
      undefined,
      5,
    ]);
    await parts.removeAll();
    temp.server.fault = undefined;
    expect(leftIn()).toEqual([]);
  });

  test('leave nothing after their removal', async () => {
    await append(10 * EIGHTH);
    await parts.removeAll();
    expect(leftIn()).toEqual([]);
    expect((await parts.stored()).bytes).toBe(0);
  });
});
