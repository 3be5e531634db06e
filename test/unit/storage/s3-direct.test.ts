import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { PartsRefusedError, type DirectUpload, type StoredPart } from '../../../src/storage/direct-parts.ts';
import { originalKey } from '../../../src/storage/keys.ts';
import { S3Storage } from '../../../src/storage/s3-storage.ts';
import { S3Bytes } from '../../helpers/s3-bytes.ts';
import { at, refuse } from '../../helpers/s3-server.ts';
import { openS3Storage, S3_PREFIX, type TempS3 } from '../../helpers/s3-storage.ts';

const MIB = 1024 * 1024;

let temp: TempS3;
beforeAll(async () => {
  temp = await openS3Storage();
});
afterAll(async () => await temp.remove());

const newKey = () => originalKey(randomUUID(), randomUUID());

async function begin(): Promise<DirectUpload> {
  const key = newKey();
  return { key, uploadId: await temp.storage.direct.begin(key) };
}

async function put(upload: DirectUpload, number: number, bytes: Buffer): Promise<Response> {
  const [part] = await temp.storage.direct.sign(upload, [{ number, sizeBytes: bytes.length }]);
  return await fetch(part?.url ?? '', { method: 'PUT', headers: part?.headers ?? {}, body: new Uint8Array(bytes) });
}

const namesOf = (parts: readonly StoredPart[] | undefined) =>
  parts?.map(({ number, etag }) => ({ number, etag })) ?? [];

describe('parts that clients put into a bucket', () => {
  test('become one object, in the order of their numbers', async () => {
    const { direct } = temp.storage;
    const upload = await begin();
    const first = randomBytes(5 * MIB);
    const last = randomBytes(1000);
    expect([(await put(upload, 2, last)).status, (await put(upload, 1, first)).status]).toEqual([200, 200]);
    const parts = await direct.list(upload);
    expect(parts).toMatchObject([
      { number: 1, sizeBytes: 5 * MIB, etag: new S3Bytes([first]).etag },
      { number: 2, sizeBytes: 1000 },
    ]);
    expect(await direct.complete(upload, namesOf(parts))).toBe(true);
    expect(
      temp.server.memory.objects.get(`${S3_PREFIX}/${upload.key}`)?.bytes.equals(Buffer.concat([first, last])),
    ).toBe(true);
  });

  test.each([2, 3, 1000])(
    'are listed once each with pages of %i parts, although the last page has a marker',
    async (size) => {
      const { direct } = temp.storage;
      const upload = await begin();
      for (const number of [3, 1, 2]) await put(upload, number, randomBytes(10));
      temp.server.pageSize = size;
      expect((await direct.list(upload))?.map(({ number }) => number)).toEqual([1, 2, 3]);
      temp.server.pageSize = 1000;
      await direct.abort(upload);
      expect(await temp.storage.removeUnfinished('', new Date(Date.now() + 60_000))).toEqual([]);
    },
  );

  test('have their length in the signature, so that the bucket accepts no longer ones', async () => {
    const [part] = await temp.storage.direct.sign(await begin(), [{ number: 1, sizeBytes: 1000 }]);
    expect(new URL(part?.url ?? '').searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;host');
  });

  test('have addresses at the public endpoint if there is one', async () => {
    const publicEndpoint = 'https://files.example';
    const storage = new S3Storage(`s3://${temp.server.bucket}`, { ...temp.server.settings, publicEndpoint });
    const [part] = await storage.direct.sign({ key: newKey(), uploadId: 'u' }, [{ number: 1, sizeBytes: 1 }]);
    await storage.close();
    expect(new URL(part?.url ?? '').origin).toBe(publicEndpoint);
  });

  test('are rejected after the upload was completed or aborted', async () => {
    const { direct } = temp.storage;
    for (const end of [
      async (upload: DirectUpload) => await direct.complete(upload, namesOf(await direct.list(upload))),
      async (upload: DirectUpload) => await direct.abort(upload),
    ]) {
      const upload = await begin();
      await put(upload, 1, randomBytes(10));
      await end(upload);
      expect((await put(upload, 1, randomBytes(10))).status).toBe(404);
      expect(await direct.list(upload)).toBeUndefined();
      expect(await direct.complete(upload, [{ number: 1, etag: 'x' }])).toBe(false);
      await direct.abort(upload);
    }
  });

  test('are unknown after the end of their upload, although the bucket answers NoSuchKey as Ceph does', async () => {
    const { storage, server } = temp;
    const upload = await begin();
    await put(upload, 1, randomBytes(10));
    server.fault = at('ListParts', (request) => refuse(request, 404, 'NoSuchKey'));
    expect(await storage.direct.list(upload)).toBeUndefined();
    expect(await storage.removeUnfinished('', new Date(Date.now() + 60_000))).toEqual([]);
    server.fault = undefined;
    await storage.direct.abort(upload);
  });

  test('are not completed after the end of their upload, although the bucket answers 500 as Ceph does', async () => {
    const { storage, server } = temp;
    const upload = await begin();
    await put(upload, 1, randomBytes(10));
    const parts = namesOf(await storage.direct.list(upload));
    server.fault = at('CompleteMultipartUpload', (request) => refuse(request, 500, 'InternalError'));
    await expect(storage.direct.complete(upload, parts)).rejects.toMatchObject({ code: 'service_unavailable' });
    await storage.direct.abort(upload);
    expect(await storage.direct.complete(upload, parts)).toBe(false);
    server.fault = undefined;
  });

  test('are refused with a reason if one is unknown, too small or out of order', async () => {
    const { direct } = temp.storage;
    const upload = await begin();
    await put(upload, 1, randomBytes(10));
    await put(upload, 2, randomBytes(10));
    const [one = { number: 1, etag: '' }, two = { number: 2, etag: '' }] = namesOf(await direct.list(upload));
    const refused = async (parts: readonly { number: number; etag: string }[]) =>
      await direct.complete(upload, parts).catch((error: unknown) => error);
    for (const parts of [[one, two], [two, one], [{ ...one, etag: two.etag }], [one, one]])
      expect(await refused(parts)).toBeInstanceOf(PartsRefusedError);
    await direct.abort(upload);
  });
});
