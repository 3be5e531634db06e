import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { S3Storage } from '../../../src/storage/s3-storage.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { eventually } from '../../helpers/eventually.ts';
import { S3Bytes } from '../../helpers/s3-bytes.ts';
import { at, refuse, type S3Request, type S3Server } from '../../helpers/s3-server.ts';
import { uploadKeys } from '../../helpers/upload-keys.ts';
import { openS3Storage, S3_PREFIX, writeOrDiscard, type TempS3 } from '../../helpers/s3-storage.ts';

const MIB = 1024 * 1024;
const UPLOAD = uploadKeys(1);
const KEY = UPLOAD.original;
const NAME = `${S3_PREFIX}/${KEY}`;

let temp: TempS3;
let storage: S3Storage;
let server: S3Server;

beforeEach(async () => {
  temp = await openS3Storage();
  ({ storage, server } = temp);
});
afterEach(async () => {
  await temp.remove();
});

const write = (bytes: Buffer) => writeOrDiscard(storage, KEY, bytes);
const countOf = (operation: string) => server.operations.filter((name) => name === operation).length;

describe('S3 writer', () => {
  test('writes a small object with one request, below the prefix', async () => {
    expect(await write(Buffer.from('small'))).toBe('committed');
    expect([server.operations, server.memory.keys()]).toEqual([['PutObject'], [NAME]]);
  });

  test('writes a large object in parts of 8 MiB with at most three in memory', async () => {
    const held: S3Request[] = [];
    server.fault = at('UploadPart', (request) => void held.push(request));
    const patient = await storage.create(KEY);
    let taken = 0;
    const writing = (async () => {
      for (; taken < 32; taken++) await patient.write(Buffer.alloc(MIB));
      await patient.commit();
    })();
    await eventually('two parts under way', () => held.length === 2);
    expect(taken).toBeLessThan(24);
    server.fault = undefined;
    await Promise.all(held.map((request) => request.proceed()));
    await writing;
    expect(server.memory.objects.get(NAME)?.bytes.length).toBe(32 * MIB);
    expect(countOf('UploadPart')).toBe(4);
  });

  test('sends checksums if the server supports them', async () => {
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

  test('leaves no part after a discard at any time', async () => {
    for (const size of [0, 7, 8, 9, 17]) {
      const writer = await storage.create(KEY);
      await writer.write(Buffer.alloc(size * MIB));
      await Promise.all([writer.discard(), writer.discard()]);
      await expect(writer.write(Buffer.from('x'))).rejects.toThrow('already ended');
      await expect(writer.commit()).rejects.toThrow('already ended');
      expect([size, server.memory.uploads.size, server.memory.keys()]).toEqual([size, 0, []]);
    }
  });

  test('keeps a committed object after a discard', async () => {
    for (const size of [1, 9]) {
      const writer = await storage.create(KEY);
      await writer.write(Buffer.alloc(size * MIB));
      await writer.commit();
      await writer.discard();
      expect(server.memory.keys()).toEqual([NAME]);
    }
  });
});

describe('S3 storage', () => {
  test('lists and removes all pages, including unfinished uploads', async () => {
    server.pageSize = 3;
    for (let index = 0; index < 7; index++) await putObject(storage, uploadKeys(index).original, Buffer.from('x'));
    const writers = await Promise.all(Array.from({ length: 4 }, (_, index) => storage.create(UPLOAD.part(index))));
    for (const writer of writers) await writer.write(Buffer.alloc(8 * MIB));
    await eventually('all begun', () => server.memory.uploads.size === 4);
    const keys: string[] = [];
    for await (const { key } of storage.list('ab')) keys.push(key);
    expect(keys).toHaveLength(7);
    await storage.removeAll('ab');
    await Promise.all(writers.map((writer) => writer.discard()));
    expect([server.memory.keys(), server.memory.uploads.size]).toEqual([[], 0]);
  });

  test('does not touch objects outside its prefix', async () => {
    for (const name of [`some/prefix-2/${KEY}`, `some/${KEY}`, KEY])
      server.memory.objects.set(name, { bytes: new S3Bytes([Buffer.from('x')]), metadata: {}, modifiedAt: new Date() });
    await storage.removeAll('ab');
    for await (const { key } of storage.list('')) expect(key).toBe('nothing');
    expect(server.memory.keys()).toEqual([KEY, `some/${KEY}`, `some/prefix-2/${KEY}`]);
  });

  test('rejects if S3 does not remove an object', async () => {
    await write(Buffer.from('x'));
    server.fault = at(
      'DeleteObjects',
      ({ response }) =>
        void response.end(
          `<DeleteResult><Error><Key>${NAME}</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>`,
        ),
    );
    await expect(storage.removeAll('ab')).rejects.toThrow('AccessDenied');
  });

  test('removes objects on servers that cannot list multipart uploads', async () => {
    await write(Buffer.from('x'));
    server.fault = at('ListMultipartUploads', (request) => refuse(request, 501, 'NotImplemented'));
    await storage.removeAll('ab');
    expect([server.memory.keys(), await storage.removeUnfinished('', new Date())]).toEqual([[], []]);
  });
});

test('removes a local copy with its release, even if released twice', async () => {
  await write(Buffer.from('x'));
  const file = await storage.openLocal(KEY);
  expect(await temp.copies()).toHaveLength(1);
  await file?.release();
  await file?.release();
  expect(await temp.copies()).toEqual([]);
});
