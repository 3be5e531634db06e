import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError } from '../../../src/errors.ts';
import { S3Storage } from '../../../src/storage/s3-storage.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { eventually } from '../../helpers/eventually.ts';
import { loseAnswer, refuse, type S3Request, type S3Server } from '../../helpers/s3-server.ts';
import { openS3Storage, S3_PREFIX, type TempS3 } from '../../helpers/s3-storage.ts';

jest.setTimeout(30_000);

const MIB = 1024 * 1024;
const KEY = 'ab/abcd/r1.original';
const NAME = `${S3_PREFIX}/${KEY}`;
/** Enough for a busy machine to answer in. */
const SILENCE_MS = 500;
const UNAVAILABLE = { code: 'service_unavailable', status: 503, retryAfterMs: 5000 };

let temp: TempS3;
let storage: S3Storage;
let server: S3Server;

beforeEach(async () => {
  await open();
});
afterEach(async () => {
  await temp.remove();
});

async function open(silenceMs?: number): Promise<void> {
  temp = await openS3Storage(silenceMs);
  ({ storage, server } = temp);
}

const countOf = (operation: string) => server.operations.filter((name) => name === operation).length;

/** The fault for requests of one operation, all of them or those up to a count. */
function at(operation: string, fault: (request: S3Request) => Promise<void> | void, upTo = Infinity): void {
  server.fault = (request) => (request.operation === operation && request.count <= upTo ? fault(request) : request.proceed());
}

/** Writes and commits as a request does: whatever goes wrong, it discards, and tells. */
async function write(bytes: Buffer): Promise<unknown> {
  const writer = await storage.create(KEY);
  try {
    for (let from = 0; from < bytes.length; from += MIB) await writer.write(bytes.subarray(from, from + MIB));
    await writer.commit();
    return 'committed';
  } catch (error) {
    await writer.discard();
    await writer.discard();
    return error;
  }
}

describe('writing', () => {
  test('of a small object is one request, below the prefix', async () => {
    expect(await write(Buffer.from('small'))).toBe('committed');
    expect([server.operations, server.memory.keys()]).toEqual([['PutObject'], [NAME]]);
  });

  test('of a large one goes in parts of 8 MiB, and holds three of them at the most', async () => {
    const held: S3Request[] = [];
    at('UploadPart', (request) => void held.push(request));
    const patient = await storage.create(KEY);
    let taken = 0;
    const writing = (async () => {
      for (; taken < 40; taken++) await patient.write(Buffer.alloc(MIB));
      await patient.commit();
    })();
    await eventually('two parts under way', () => held.length === 2);
    expect(taken).toBeLessThan(24);
    server.fault = undefined;
    await Promise.all(held.map((request) => request.proceed()));
    await writing;
    expect(server.memory.objects.get(NAME)?.bytes.length).toBe(40 * MIB);
    expect(countOf('UploadPart')).toBe(5);
  });

  test('bears checksums where the server takes them', async () => {
    const strict = new S3Storage(`s3://${server.bucket}`, { ...server.settings, checksums: 'WHEN_SUPPORTED' });
    const sums: unknown[] = [];
    server.fault = async ({ operation, request, proceed }) => {
      if (operation === 'UploadPart' || operation === 'PutObject') sums.push(request.headers['x-amz-checksum-crc32']);
      await proceed();
    };
    for (const size of [10, 17 * MIB]) {
      await putObject(strict, 'a', Buffer.alloc(size, 'x'));
      expect(server.memory.objects.get('a')?.bytes.equals(Buffer.alloc(size, 'x'))).toBe(true);
    }
    await strict.close();
    expect(sums).toEqual(Array.from({ length: 4 }, () => expect.any(String)));
  });

  test('ended by a discard leaves no part, whenever it comes', async () => {
    for (const size of [0, 7, 8, 9, 20, 30]) {
      const writer = await storage.create(KEY);
      await writer.write(Buffer.alloc(size * MIB));
      await Promise.all([writer.discard(), writer.discard()]);
      await expect(writer.write(Buffer.from('x'))).rejects.toThrow('ended already');
      await expect(writer.commit()).rejects.toThrow('ended already');
      expect([size, server.memory.uploads.size, server.memory.keys()]).toEqual([size, 0, []]);
    }
  });

  test('that was committed is not undone by a discard', async () => {
    for (const size of [1, 9]) {
      const writer = await storage.create(KEY);
      await writer.write(Buffer.alloc(size * MIB));
      await writer.commit();
      await writer.discard();
      expect(server.memory.keys()).toEqual([NAME]);
    }
  });
});

describe('an S3 that answers 500', () => {
  test.each(['PutObject', 'HeadObject', 'GetObject', 'DeleteObject', 'ListObjectsV2', 'DeleteObjects', 'ListMultipartUploads'])('at %s is tried again, and then is a 503', async (operation) => {
    await write(Buffer.from('x'));
    const call = { PutObject: () => putObject(storage, KEY, Buffer.from('y')), HeadObject: () => storage.stat(KEY), GetObject: () => storage.read(KEY), DeleteObject: () => storage.remove(KEY) }[operation] ?? (() => storage.removeAll('ab'));
    const before = countOf(operation);
    at(operation, (request) => refuse(request, 500, 'InternalError'));
    await expect(call()).rejects.toMatchObject(UNAVAILABLE);
    await expect(call()).rejects.toBeInstanceOf(ServiceError);
    expect(countOf(operation) - before).toBe(6);
  });

  test.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])('at %s of a large object leaves nothing', async (operation) => {
    at(operation, (request) => refuse(request, 500, 'InternalError'));
    expect(await write(Buffer.alloc(30 * MIB))).toMatchObject(UNAVAILABLE);
    expect([server.memory.uploads.size, server.memory.keys()]).toEqual([0, []]);
  });

  test('for a moment goes unnoticed', async () => {
    server.fault = (request) => (request.count === 1 ? refuse(request, 503, 'SlowDown') : request.proceed());
    expect(await write(Buffer.alloc(20 * MIB, 'x'))).toBe('committed');
    expect(server.memory.objects.get(NAME)?.bytes.equals(Buffer.alloc(20 * MIB, 'x'))).toBe(true);
  });

  test('or whose proxy does, in words of its own', async () => {
    server.fault = (request) => refuse(request, 502);
    await expect(storage.stat(KEY)).rejects.toMatchObject(UNAVAILABLE);
    await expect(storage.read(KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(await write(Buffer.from('x'))).toMatchObject(UNAVAILABLE);
  });

  test('even to what cleans up hides no reason, and what stays goes with the next removal', async () => {
    server.fault = (request) => (/Create|ListM/.test(request.operation) ? request.proceed() : refuse(request, 500, 'InternalError'));
    expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
    expect(server.memory.uploads.size).toBe(1);
    server.fault = undefined;
    await storage.removeAll('ab/abcd');
    expect(server.memory.uploads.size).toBe(0);
  });

  test('with no room is a 507', async () => {
    at('PutObject', (request) => refuse(request, 507, 'InsufficientStorage'));
    expect(await write(Buffer.from('x'))).toMatchObject({ code: 'storage_full', status: 507 });
  });

  test('and one that refuses is an error of its own, not a matter of time', async () => {
    server.fault = (request) => refuse(request, 403, 'AccessDenied');
    const error = await write(Buffer.alloc(9 * MIB));
    expect(error).not.toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ name: 'AccessDenied' });
  });
});

describe('an S3 that is silent', () => {
  beforeEach(async () => {
    await temp.remove();
    await open(SILENCE_MS);
  });

  test.each(['PutObject', 'GetObject'])('at %s is a 503 after its time', async (operation) => {
    await write(Buffer.from('x'));
    at(operation, () => undefined);
    await expect(operation === 'GetObject' ? storage.read(KEY) : putObject(storage, KEY, Buffer.from('y'))).rejects.toMatchObject(UNAVAILABLE);
  });

  test.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])('at %s leaves nothing', async (operation) => {
    at(operation, () => undefined);
    expect(await write(Buffer.alloc(20 * MIB))).toMatchObject(UNAVAILABLE);
    expect([server.memory.uploads.size, server.memory.keys()]).toEqual([0, []]);
  });

  test('within an object ends the reading, and leaves no file', async () => {
    await write(Buffer.alloc(MIB));
    at('GetObject', ({ response }) => void response.writeHead(200, { 'Content-Length': MIB }).write('beginning'));
    await expect(storage.openLocal(KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(await temp.copies()).toEqual([]);
  });

  test('but slow alone is waited for', async () => {
    server.fault = async ({ proceed }) => {
      await delay(SILENCE_MS / 3);
      await proceed();
    };
    expect(await write(Buffer.alloc(9 * MIB))).toBe('committed');
  });
});

describe('an S3 that cuts', () => {
  test.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])('before %s leaves nothing', async (operation) => {
    at(operation, ({ request }) => void request.socket.destroy());
    expect(await write(Buffer.alloc(20 * MIB))).toMatchObject(UNAVAILABLE);
    expect([server.memory.uploads.size, server.memory.keys()]).toEqual([0, []]);
  });

  test.each([['PutObject', 1], ['CompleteMultipartUpload', 9]])('after %s has stored the object all the same', async (operation, size) => {
    at(operation, loseAnswer);
    expect(await write(Buffer.alloc(size * MIB, 'x'))).toBe('committed');
    expect(server.memory.objects.get(NAME)?.bytes.equals(Buffer.alloc(size * MIB, 'x'))).toBe(true);
  });

  test('after CreateMultipartUpload leaves none of those that it began', async () => {
    at('CreateMultipartUpload', loseAnswer);
    expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
    expect(countOf('CreateMultipartUpload')).toBe(3);
    expect([server.memory.uploads.size, server.memory.keys()]).toEqual([0, []]);
  });

  test('and cannot be asked removes what it turns out to have stored', async () => {
    let asked = 0;
    server.fault = (request) => {
      if (request.operation === 'PutObject') return loseAnswer(request);
      return request.operation === 'HeadObject' && ++asked <= 3 ? refuse(request, 500) : request.proceed();
    };
    expect(await write(Buffer.from('x'))).toMatchObject(UNAVAILABLE);
    expect(server.memory.keys()).toEqual([]);
  });

  test('never takes another writer\'s object for its own', async () => {
    await write(Buffer.from('theirs'));
    at('PutObject', ({ request }) => void request.socket.destroy());
    expect(await write(Buffer.from('mine'))).toMatchObject(UNAVAILABLE);
    expect(server.memory.objects.get(NAME)?.bytes.toString()).toBe('theirs');
  });

  test('within an object ends the reading, and leaves no file', async () => {
    await write(Buffer.alloc(MIB));
    at('GetObject', ({ response, request }) => void response.writeHead(200, { 'Content-Length': MIB }).write('beginning', () => request.socket.destroy()));
    await expect(storage.openLocal(KEY)).rejects.toMatchObject(UNAVAILABLE);
    const stream = await storage.read(KEY);
    await expect(stream?.toArray()).rejects.toThrow();
    expect(await temp.copies()).toEqual([]);
  });

  test('for good is a 503', async () => {
    await temp.remove();
    await expect(storage.stat(KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
    await open();
  });
});

describe('what there is', () => {
  test('is listed and removed page by page, unfinished uploads too', async () => {
    server.pageSize = 3;
    for (let index = 0; index < 10; index++) await putObject(storage, `ab/${index}`, Buffer.from('x'));
    const writers = await Promise.all(Array.from({ length: 7 }, (_, index) => storage.create(`ab/big-${index}`)));
    for (const writer of writers) await writer.write(Buffer.alloc(8 * MIB));
    await eventually('all begun', () => server.memory.uploads.size === 7);
    const keys: string[] = [];
    for await (const { key } of storage.list('ab')) keys.push(key);
    expect(keys).toHaveLength(10);
    await storage.removeAll('ab');
    await Promise.all(writers.map((writer) => writer.discard()));
    expect([server.memory.keys(), server.memory.uploads.size]).toEqual([[], 0]);
  });

  test('beside the prefix is another\'s', async () => {
    for (const name of ['some/prefix-2/ab/1', 'some/ab/1', 'ab/1']) server.memory.objects.set(name, { bytes: Buffer.from('x'), metadata: {}, modifiedAt: new Date() });
    await storage.removeAll('ab');
    for await (const { key } of storage.list('')) expect(key).toBe('nothing');
    expect(server.memory.keys()).toEqual(['ab/1', 'some/ab/1', 'some/prefix-2/ab/1']);
  });

  test('that S3 does not remove is told', async () => {
    await write(Buffer.from('x'));
    at('DeleteObjects', ({ response }) => void response.end(`<DeleteResult><Error><Key>${NAME}</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>`));
    await expect(storage.removeAll('ab')).rejects.toThrow('AccessDenied');
  });

  test('is removed from servers that list no uploads', async () => {
    await write(Buffer.from('x'));
    at('ListMultipartUploads', (request) => refuse(request, 501, 'NotImplemented'));
    await storage.removeAll('ab');
    expect([server.memory.keys(), await storage.removeUnfinished(new Date())]).toEqual([[], 0]);
  });
});

test('a copy on this machine goes with its release, once or twice', async () => {
  await write(Buffer.from('x'));
  const file = await storage.openLocal(KEY);
  expect(await temp.copies()).toHaveLength(1);
  await file?.release();
  await file?.release();
  expect(await temp.copies()).toEqual([]);
});
