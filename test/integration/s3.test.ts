import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createUploadClient } from '../../src/client/upload-client.ts';
import { awsS3 } from '../../src/integrations/uppy/aws-s3.ts';
import type { DirectUploadDocument, Problem, Upload, UploadList } from '../../src/wire/documents.ts';
import { getJson, postFiles, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { listen } from '../helpers/listen.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { patienceMs } from '../helpers/patience.ts';
import { photo } from '../helpers/pictures.ts';
import {
  at,
  loseAnswer,
  refuse,
  startS3Server,
  S3_CREDENTIALS,
  type S3Request,
  type S3Server,
} from '../helpers/s3-server.ts';
import { startProcess, startService, type Service } from '../helpers/service.ts';
import { createTus, offsetOf, patchTus } from '../helpers/tus-requests.ts';
import { openSpanRecorder, spansBelowRequest, type SpanRecorder } from '../helpers/recorded-spans.ts';
import { pictureResult } from '../helpers/results.ts';

const MIB = 1024 * 1024;
/** The limit of silence. A test can wait for it, and a sender on a busy machine does not reach it. */
const STALL_MS = Math.min(patienceMs(1500), 5000);

let s3: S3Server;
let service: Service;
let bytes: Buffer;
let env: Record<string, string>;
let recorder: SpanRecorder;

beforeAll(async () => {
  [s3, bytes] = await Promise.all([startS3Server(), photo({ width: 900, height: 600 })]);
  env = {
    UPLOAD_STALL_TIMEOUT_MS: String(STALL_MS),
    IMPORT_ALLOW: '127.0.0.1',
    ...S3_CREDENTIALS,
    S3_ENDPOINT: s3.url,
    STORAGE: `s3://${s3.bucket}/uploads`,
  };
  recorder = openSpanRecorder();
  service = await startService({ env: { ...env, ...recorder.env } });
});

afterAll(async () => {
  await expectNothingLeft(service);
  await service.stop();
  await s3.close();
  recorder.remove();
});
afterEach(() => {
  s3.fault = undefined;
});

/** Sends the photo straight to the bucket, and waits for its result. */
async function sendDirect(sha256: string): Promise<{ id: string; result: Partial<Upload & Problem> }> {
  const json = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
  const announced = JSON.stringify({ fileName: 'photo.jpg', size: bytes.length, sha256 });
  const begun = await fetch(`${service.url}/uploads/direct`, { ...json, body: announced });
  const { upload, parts } = (await begun.json()) as DirectUploadDocument;
  expect([begun.status, begun.headers.get('location')]).toEqual([201, `/uploads/${upload.id}`]);
  const put = await fetch(parts[0]?.url ?? '', { method: 'PUT', body: new Uint8Array(bytes) });
  const body = JSON.stringify({ parts: [{ number: 1, etag: put.headers.get('etag') }] });
  const completed = await fetch(`${service.url}/uploads/${upload.id}/direct/complete`, { ...json, body });
  expect(completed.status).toBe(202);
  const result = await getJson<Upload>(`${service.url}/uploads/${upload.id}/result?timeout=${LONG_HOLD_MS}`);
  return { id: upload.id, result: result.body };
}

const keysOf = (id: string) => s3.memory.keys().filter((key) => key.startsWith(`uploads/${id.slice(0, 2)}/${id}/`));

describe('an API and a worker process that share only Redis and a bucket', () => {
  test('process an upload, serve it in ranges, and delete all of it', async () => {
    const id = randomUUID();
    const { status, body } = await putFile<Upload>(service.url, id, bytes, 'photo.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect([status, body.state, pictureResult(body).variants.map(({ name }) => name)]).toEqual([
      200,
      'completed',
      ['1600', '640', '160'],
    ]);
    expect(keysOf(id)).toHaveLength(5);
    expect(await readdir(service.directory)).toEqual([]);

    const variant = pictureResult(body).variants[1];
    const url = `${service.url}${variant?.url}`;
    const whole = await fetch(url);
    const picture = Buffer.from(await whole.arrayBuffer());
    expect([whole.status, picture.length, whole.headers.get('content-type')]).toEqual([
      200,
      variant?.size,
      `image/${variant?.format}`,
    ]);
    const part = await fetch(url, { headers: { Range: 'bytes=10-19' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${picture.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(picture.subarray(10, 20))).toBe(true);
    const etag = whole.headers.get('etag') ?? '';
    expect((await fetch(url, { headers: { 'If-None-Match': etag } })).status).toBe(304);

    const content = await fetch(`${service.url}/uploads/${id}/content`);
    expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);

    expect((await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect([keysOf(id), s3.memory.uploads.size, (await fetch(url)).status]).toEqual([[], 0, 404]);
  });

  test('accept a file of several parts', async () => {
    const id = randomUUID();
    const large = Buffer.concat([bytes, Buffer.alloc(20 * MIB)]);
    const { body } = await putFile<Upload>(service.url, id, large, 'large.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect([body.state, s3.operations.filter((name) => name === 'UploadPart').length]).toEqual(['completed', 3]);
    expect(s3.memory.uploads.size).toBe(0);
  });

  test('process a file that its sender has put into the bucket', async () => {
    const { id, result } = await sendDirect(createHash('sha256').update(bytes).digest('hex'));
    expect(result).toMatchObject({ state: 'completed', file: { name: 'photo.jpg', type: 'image/jpeg' } });
    expect(result.file?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    const content = await fetch(`${service.url}/uploads/${id}/content`);
    expect(Buffer.from(await content.arrayBuffer()).equals(bytes)).toBe(true);
    expect(await spansBelowRequest(recorder, 'POST /uploads/direct', id)).toEqual(['storage begin parts']);
    expect(await spansBelowRequest(recorder, 'POST /uploads/:id/direct/complete', id)).toEqual(
      [
        'enqueue',
        'storage list parts',
        'storage join parts',
        'storage read',
        'storage create',
        'storage commit',
      ].sort(),
    );
  });

  test('fail a file in the bucket that is not the announced one, and remove it', async () => {
    const { id, result } = await sendDirect('0'.repeat(64));
    expect(result).toMatchObject({ code: 'digest_mismatch', state: 'failed', final: true });
    await eventually('its bytes are removed', () => keysOf(id).length === 0);
    expect((await fetch(`${service.url}/uploads/${id}/content`)).status).toBe(409);
  });

  test('process a file that the browser client puts into the bucket', async () => {
    const client = createUploadClient({ baseUrl: service.url, direct: true });
    const begun = s3.operations.length;
    const large = new Blob([new Uint8Array(bytes), new Uint8Array(9 * MIB)], { type: 'image/jpeg' });
    const upload = await client.upload(large, { name: 'large.jpg' }).result;
    expect(upload).toMatchObject({ state: 'completed', file: { name: 'large.jpg', size: large.size } });
    expect(s3.operations.slice(begun).filter((name) => name === 'UploadPart')).toHaveLength(2);
    client.close();
  });

  test('process a file that Uppy puts into the bucket by its plugin AwsS3', async () => {
    const aws = awsS3({ baseUrl: service.url });
    const file = { name: 'photo.jpg', size: bytes.length };
    const { key, uploadId } = await aws.createMultipartUpload(file);
    expect(uploadId).toBe(key);
    const { url, headers } = await aws.signPart(file, { key, uploadId, partNumber: 1 });
    const put = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(bytes) });
    const [part] = await aws.listParts(file, { key, uploadId });
    expect(part).toEqual({ PartNumber: 1, Size: bytes.length, ETag: put.headers.get('etag')?.replaceAll('"', '') });
    const parts = [{ PartNumber: 1, ETag: put.headers.get('etag') ?? '' }];
    expect((await aws.completeMultipartUpload(file, { key, uploadId, parts })).location).toContain(key);
    const { body } = await getJson<Upload>(`${service.url}/uploads/${key}/result?timeout=${LONG_HOLD_MS}`);
    expect(body.state).toBe('completed');
    const other = await aws.createMultipartUpload(file);
    await aws.abortMultipartUpload(file, other);
    expect((await fetch(`${service.url}/uploads/${other.key}`)).status).toBe(410);
  });

  test('import a file from an address', async () => {
    const source = createServer((_, response) => response.end(bytes));
    const url = `http://127.0.0.1:${await listen(source)}/harbour%20view.jpg`;
    const json = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    const posted = await requestJson<UploadList>(`${service.url}/uploads`, { ...json, body: JSON.stringify({ url }) });
    const [upload] = posted.body.uploads;
    expect([posted.status, posted.headers.get('location')]).toEqual([202, `/uploads/${upload?.id}`]);
    expect(upload?.progress.stage).toBe('fetch');
    const { body } = await getJson<Upload>(`${service.url}/uploads/${upload?.id}/result?timeout=${LONG_HOLD_MS}`);
    expect(body).toMatchObject({ state: 'completed', file: { name: 'harbour view.jpg', size: bytes.length } });
    expect(body.progress.attempt).toBe(1);
    source.close();
  });

  test('refuse to import from a loopback address', async () => {
    const json = { method: 'POST', headers: { 'Content-Type': 'application/json' } };
    const body = JSON.stringify({ url: service.url.replace('127.0.0.1', '127.0.0.3') });
    const refused = await requestJson<Problem>(`${service.url}/uploads`, { ...json, body });
    expect([refused.status, refused.body.code]).toEqual([400, 'import_refused']);
  });

  test('leave nothing of a file whose sender disconnected', async () => {
    const id = randomUUID();
    const begun = s3.operations.length;
    const sending = request(`${service.url}/uploads/${id}`, {
      method: 'PUT',
      headers: { 'Content-Length': 20 * MIB },
    }).on('error', () => undefined);
    sending.write(Buffer.concat([bytes, Buffer.alloc(9 * MIB)]));
    await eventually('a part', () => s3.operations.slice(begun).includes('UploadPart'));
    sending.destroy();
    const { body: upload } = await getJson<Upload>(`${service.url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
    expect(upload).toMatchObject({ code: 'upload_interrupted' });
    expect([keysOf(id), s3.memory.uploads.size]).toEqual([[], 0]);
  });

  test('answer 503 with Retry-After during a fault of S3, and accept the file afterwards', async () => {
    const id = randomUUID();
    s3.fault = (asked) => refuse(asked, 500, 'InternalError');
    const refused = await putFile<{ code: string }>(service.url, id, bytes, 'photo.jpg');
    s3.fault = undefined;
    expect([refused.status, refused.body.code]).toEqual([503, 'service_unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(5);
    const again = await putFile<Upload>(service.url, id, bytes, 'photo.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect(again.body.state).toBe('completed');
    expect(service.apis[0]?.output()).not.toContain('UnhandledPromise');
  });

  test('repeat a job whose file S3 did not return', async () => {
    const id = randomUUID();
    let refusals = 3;
    // Only requests for this file are rejected, because others may read the marker or a manifest at the same time.
    const isRefused = ({ operation, request: { url = '' } }: S3Request) =>
      operation === 'GetObject' && url.includes(id) && url.includes('.original') && refusals-- > 0;
    s3.fault = (asked) => (isRefused(asked) ? refuse(asked, 503, 'SlowDown') : asked.proceed());
    const { body } = await putFile<Upload>(service.url, id, bytes, 'photo.jpg', `?timeout=${LONG_HOLD_MS}`);
    s3.fault = undefined;
    expect([body.state, body.progress.attempt]).toEqual(['completed', 2]);
  });
});

describe('a slow S3', () => {
  test('does not make senders count as too slow', async () => {
    let slow = 4;
    s3.fault = async (asked) => {
      if (asked.operation === 'UploadPart' && slow-- > 0) await pause(2 * STALL_MS);
      await asked.proceed();
    };
    // The file is larger than the parts that are being sent and the part that is being collected.
    const large = Buffer.concat([bytes, Buffer.alloc(34 * MIB)]);
    const form = new FormData();
    form.append('file', new Blob([new Uint8Array(bytes)]), 'small.jpg');
    form.append('file', new Blob([new Uint8Array(large)]), 'large.jpg');
    const sent = [
      putFile<Upload>(service.url, randomUUID(), large, 'large.jpg'),
      requestJson<UploadList>(`${service.url}/uploads`, { method: 'POST', body: form }),
    ];
    expect((await Promise.all(sent)).map(({ status }) => status)).toEqual([202, 202]);
  });
});

test('a resumable upload is one multipart upload, and its file is there with the last answer', async () => {
  const file = Buffer.concat([bytes, Buffer.alloc(18 * MIB, 'and so on ')]);
  const id = await createTus(service.url, { 'Upload-Length': String(file.length) });
  const ends = [9 * MIB, 10 * MIB, file.length];
  for (const [index, end] of ends.entries()) {
    const start = index === 0 ? 0 : (ends[index - 1] ?? 0);
    expect((await patchTus(service.url, id, start, file.subarray(start, end))).status).toBe(204);
  }
  const content = await fetch(`${service.url}/uploads/${id}/content`);
  expect([content.status, Buffer.from(await content.arrayBuffer()).equals(file)]).toEqual([200, true]);
  expect([s3.memory.uploads.size, keysOf(id).filter((key) => key.includes('/parts/'))]).toEqual([0, []]);
  const { body } = await getJson<Upload>(`${service.url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
  expect([body.state, body.file.sha256]).toEqual(['completed', createHash('sha256').update(file).digest('hex')]);
});

describe('an S3 that cuts its connections', () => {
  const cut = ({ request: asked }: S3Request) => void asked.socket.destroy();

  test('before its answer does not affect an upload whose object is stored', async () => {
    s3.fault = at('PutObject', loseAnswer);
    const { status } = await putFile<Upload>(service.url, randomUUID(), bytes, 'a.jpg');
    expect(status).toBe(202);
  });

  test.each(['PutObject', 'UploadPart'])(
    'at %s causes a 503 for PUT, form and PATCH, and leaves nothing',
    async (operation) => {
      const file = operation === 'PutObject' ? bytes : Buffer.concat([bytes, Buffer.alloc(9 * MIB)]);
      const [id, resumable] = [randomUUID(), await createTus(service.url, { 'Upload-Length': String(file.length) })];
      const before = s3.memory.keys();
      s3.fault = at(operation, cut);
      const answers = await Promise.all([
        putFile<Problem>(service.url, id, file, 'a.jpg'),
        postFiles<Problem>(service.url, [
          { name: '1.jpg', bytes: file },
          { name: '2.jpg', bytes: file },
        ]),
        patchTus(service.url, resumable, 0, file),
      ]);
      expect(answers.map(({ status, headers, body }) => [status, body?.code, headers.has('retry-after')])).toEqual(
        Array(3).fill([503, 'service_unavailable', true]),
      );
      s3.fault = undefined;
      expect(await offsetOf(service.url, resumable)).toBe(0);
      // A worker that has met the fault checks the storage with an object that it removes at once.
      await eventually('the check of a worker to end', () => !s3.memory.keys().some((key) => key.endsWith('.probe')));
      expect([
        s3.memory.keys().filter((key) => !before.includes(key) && !key.includes('/attempt-')),
        [...s3.memory.uploads.values()].filter(({ key }) => !key.includes(resumable)),
      ]).toEqual([[], []]);
      expect((await patchTus(service.url, resumable, 0, file)).status).toBe(204);
      expect(await spansBelowRequest(recorder, 'PATCH /files/:id', resumable)).toContain(
        operation === 'PutObject' ? 'storage create' : 'storage put part',
      );
      expect((await putFile<Upload>(service.url, id, file, 'a.jpg', `?timeout=${LONG_HOLD_MS}`)).body.state).toBe(
        'completed',
      );
    },
  );
});

test.each(['src/server/main.ts', 'workers/main.ts'])('%s stops with one line if the bucket is wrong', async (entry) => {
  const started = startProcess(resolve(entry), {
    ...env,
    PORT: '0',
    REDIS_URL: service.redis.url,
    STORAGE: 's3://other-bucket',
  });
  await expect(started).rejects.toThrow(
    /ready: (\{.*\}\n)*deferred-uploads: STORAGE: S3 at \S+ has no bucket "other-bucket"\n$/,
  );
});
