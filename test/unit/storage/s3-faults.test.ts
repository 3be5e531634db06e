import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError } from '../../../src/errors.ts';
import type { S3Storage } from '../../../src/storage/s3-storage.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { eventually } from '../../helpers/eventually.ts';
import { at, loseAnswer, refuse, type S3Server } from '../../helpers/s3-server.ts';
import { uploadKeys } from '../../helpers/upload-keys.ts';
import { openS3Storage, S3_PREFIX, writeOrDiscard, type TempS3 } from '../../helpers/s3-storage.ts';
import { patienceMs } from '../../helpers/patience.ts';

const MIB = 1024 * 1024;
const UPLOAD = uploadKeys(1);
const KEY = UPLOAD.original;
const NAME = `${S3_PREFIX}/${KEY}`;
const UNAVAILABLE = { code: 'service_unavailable', status: 503, retryAfterMs: 5000 };

/** The limit of silence. Even a busy machine answers within this time. */
const SILENCE_MS = 500;

let temp: TempS3;
let storage: S3Storage;
let server: S3Server;

beforeEach(async () => {
  await open();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await temp.remove();
});

async function open(silenceMs?: number): Promise<void> {
  temp = await openS3Storage(silenceMs);
  ({ storage, server } = temp);
}

const write = (bytes: Buffer) => writeOrDiscard(storage, KEY, bytes);
const countOf = (operation: string) => server.operations.filter((name) => name === operation).length;

describe('S3 that answers 500', () => {
  test.each([
    'PutObject',
    'HeadObject',
    'GetObject',
    'DeleteObject',
    'ListObjectsV2',
    'DeleteObjects',
    'ListMultipartUploads',
  ])('retries %s and then answers 503', async (operation) => {
    await write(Buffer.from('x'));
    const call =
      {
        PutObject: () => putObject(storage, KEY, Buffer.from('y')),
        HeadObject: () => storage.stat(KEY),
        GetObject: () => storage.read(KEY),
        DeleteObject: () => storage.remove(KEY),
      }[operation] ?? (() => storage.removeAll('ab'));
    const before = countOf(operation);
    server.fault = at(operation, (request) => refuse(request, 500, 'InternalError'));
    await expect(call()).rejects.toMatchObject(UNAVAILABLE);
    await expect(call()).rejects.toBeInstanceOf(ServiceError);
    expect(countOf(operation) - before).toBe(6);
  });

  test.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])(
    'leaves no object after a failed %s',
    async (operation) => {
      server.fault = at(operation, (request) => refuse(request, 500, 'InternalError'));
      expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
      expect([server.memory.uploads.size, server.memory.keys()]).toEqual([0, []]);
    },
  );

  test('reports an upload that a cancel has aborted as such, although S3 answers 500 as Ceph does', async () => {
    const writer = await storage.create(KEY);
    await writer.write(Buffer.alloc(8 * MIB));
    await eventually('the part', () => [...server.memory.uploads.values()].some(({ parts }) => parts.size === 1));
    await storage.removeAll(UPLOAD.prefix);
    server.fault = at('CompleteMultipartUpload', (request) => refuse(request, 500, 'InternalError'));
    // The request re-reads its record after this code.
    await expect(writer.commit()).rejects.toMatchObject({ code: 'storage_unavailable' });
    await writer.discard();
  });

  test('causes no error if a retry succeeds', async () => {
    server.fault = (request) => (request.count === 1 ? refuse(request, 503, 'SlowDown') : request.proceed());
    const bytes = randomBytes(17 * MIB);
    expect(await write(bytes)).toBe('committed');
    expect(server.memory.objects.get(NAME)?.bytes.equals(bytes)).toBe(true);
  });

  test('answers 503 too if a proxy in front of S3 answers 502', async () => {
    server.fault = (request) => refuse(request, 502);
    await expect(storage.stat(KEY)).rejects.toMatchObject(UNAVAILABLE);
    await expect(storage.read(KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(await write(Buffer.from('x'))).toMatchObject(UNAVAILABLE);
  });

  test('keeps the first error if the cleanup fails too, and the next removal removes the rest', async () => {
    server.fault = (request) =>
      /Create|ListM/.test(request.operation) ? request.proceed() : refuse(request, 500, 'InternalError');
    expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
    expect(server.memory.uploads.size).toBe(1);
    server.fault = undefined;
    await storage.removeAll(UPLOAD.prefix);
    expect(server.memory.uploads.size).toBe(0);
  });

  test('answers 507 if the storage is full', async () => {
    server.fault = at('PutObject', (request) => refuse(request, 507, 'InsufficientStorage'));
    expect(await write(Buffer.from('x'))).toMatchObject({ code: 'storage_full', status: 507 });
  });

  test('copies nothing if the object is missing and S3 cannot copy with one request', async () => {
    server.fault = at('CopyObject', (request) => refuse(request, 501, 'NotImplemented'));
    expect(await storage.duplicate(KEY, UPLOAD.part(0))).toBe(false);
  });

  test('returns a rejection as a permanent error', async () => {
    server.fault = (request) => refuse(request, 403, 'AccessDenied');
    const error = await write(Buffer.alloc(9 * MIB));
    expect(error).not.toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ name: 'AccessDenied' });
  });
});

describe('S3 that is silent', () => {
  beforeEach(async () => {
    await temp.remove();
    await open(SILENCE_MS);
  });

  test.each(['PutObject', 'GetObject'])('answers 503 after the timeout of %s', async (operation) => {
    await write(Buffer.from('x'));
    server.fault = at(operation, () => undefined);
    await expect(
      operation === 'GetObject' ? storage.read(KEY) : putObject(storage, KEY, Buffer.from('y')),
    ).rejects.toMatchObject(UNAVAILABLE);
  });

  test.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])(
    'leaves no object after a silent %s',
    async (operation) => {
      server.fault = at(operation, () => undefined);
      expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
      expect([server.memory.uploads.size, server.memory.keys()]).toEqual([0, []]);
    },
  );

  test('ends a read in the middle of an object and leaves no file', async () => {
    await write(Buffer.alloc(MIB));
    server.fault = at(
      'GetObject',
      ({ response }) => void response.writeHead(200, { 'Content-Length': MIB }).write('beginning'),
    );
    await expect(storage.openLocal(KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(await temp.copies()).toEqual([]);
  });

  test('waits if it is only slow', async () => {
    await temp.remove();
    await open(patienceMs(SILENCE_MS));
    server.fault = async ({ proceed }) => {
      await delay(SILENCE_MS / 3);
      await proceed();
    };
    expect(await write(Buffer.alloc(9 * MIB))).toBe('committed');
  });
});

describe('S3 that cuts the connection', () => {
  test.each(['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'])(
    'leaves no object if it cuts before %s',
    async (operation) => {
      server.fault = at(operation, ({ request }) => void request.socket.destroy());
      expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
      expect([server.memory.uploads.size, server.memory.keys()]).toEqual([0, []]);
    },
  );

  test.each([
    ['PutObject', 1],
    ['CompleteMultipartUpload', 9],
  ])('has stored the object if it cuts after %s', async (operation, size) => {
    server.fault = at(operation, loseAnswer);
    expect(await write(Buffer.alloc(size * MIB, 'x'))).toBe('committed');
    expect(server.memory.objects.get(NAME)?.bytes.equals(Buffer.alloc(size * MIB, 'x'))).toBe(true);
  });

  test('leaves no multipart upload if it cuts after CreateMultipartUpload', async () => {
    server.fault = at('CreateMultipartUpload', loseAnswer);
    expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
    expect(countOf('CreateMultipartUpload')).toBe(3);
    expect([server.memory.uploads.size, server.memory.keys()]).toEqual([0, []]);
  });

  test('removes an object that was stored although the answer was lost', async () => {
    let asked = 0;
    server.fault = (request) => {
      if (request.operation === 'PutObject') return loseAnswer(request);
      return request.operation === 'HeadObject' && ++asked <= 3 ? refuse(request, 500) : request.proceed();
    };
    expect(await write(Buffer.from('x'))).toMatchObject(UNAVAILABLE);
    expect(server.memory.keys()).toEqual([]);
  });

  test('removes the object of a probe that was stored although the answer was lost', async () => {
    server.fault = at('PutObject', loseAnswer);
    await expect(storage.probe('full')).rejects.toMatchObject(UNAVAILABLE);
    expect(server.memory.keys()).toEqual([]);
  });

  test('does not mistake the object of another writer for its own', async () => {
    await write(Buffer.from('other'));
    server.fault = at('PutObject', ({ request }) => void request.socket.destroy());
    expect(await write(Buffer.from('mine'))).toMatchObject(UNAVAILABLE);
    expect(server.memory.objects.get(NAME)?.bytes.toString()).toBe('other');
  });

  test('ends a read in the middle of an object and leaves no file', async () => {
    await write(Buffer.alloc(MIB));
    server.fault = at(
      'GetObject',
      ({ response, request }) =>
        void response.writeHead(200, { 'Content-Length': MIB }).write('beginning', () => request.socket.destroy()),
    );
    await expect(storage.openLocal(KEY)).rejects.toMatchObject(UNAVAILABLE);
    const stream = await storage.read(KEY);
    await expect(stream?.toArray()).rejects.toThrow();
    expect(await temp.copies()).toEqual([]);
  });

  test('leaves no file if the file is created after the read has failed', async () => {
    await write(Buffer.alloc(MIB));
    server.fault = at(
      'GetObject',
      ({ response, request }) =>
        void response.writeHead(200, { 'Content-Length': MIB }).write('beginning', () => request.socket.destroy()),
    );
    const { open: openFile } = fs;
    const beginsLate = new Promise<void>((resolve) => {
      const openLate = (...given: Parameters<typeof openFile>) =>
        void setTimeout(() => {
          openFile(...given);
          resolve();
        }, 50);
      jest.spyOn(fs, 'open').mockImplementation(Object.assign(openLate, { __promisify__: openFile.__promisify__ }));
    });
    await expect(storage.openLocal(KEY)).rejects.toMatchObject(UNAVAILABLE);
    await beginsLate;
    expect(await temp.copies()).toEqual([]);
  });

  test('answers 503 if it never comes back', async () => {
    await temp.remove();
    await expect(storage.stat(KEY)).rejects.toMatchObject(UNAVAILABLE);
    expect(await write(Buffer.alloc(9 * MIB))).toMatchObject(UNAVAILABLE);
    await open();
  });
});
