import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Problem, Upload, UploadList } from '../../src/wire/documents.ts';
import { getJson, postFiles, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { patienceMs } from '../helpers/patience.ts';
import { cutShort, photo } from '../helpers/pictures.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { startService, type Service } from '../helpers/service.ts';
import { filesOfUpload, storedFiles } from '../helpers/stored-files.ts';

const MAX_FILE_BYTES = 300_000;
let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  const env = {
    UPLOAD_MAX_BYTES: String(MAX_FILE_BYTES),
    UPLOAD_MAX_REQUEST_BYTES: '1000000',
    UPLOAD_STALL_TIMEOUT_MS: String(Math.min(patienceMs(400), 4000)),
  };
  [service, bytes] = await Promise.all([startService({ env }), photo({ width: 300, height: 200 })]);
});

afterAll(async () => {
  await expectNothingLeft(service);
  await service.stop();
});

/** A rejection leaves nothing on the disk, and the service still answers. */
afterEach(async () => {
  await eventually('no partial file', async () => {
    const files = await storedFiles(service.directory);
    return !files.some((name) => name.endsWith('.part'));
  });
  expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
});

async function problemOf(path: string, init?: RequestInit): Promise<[number, string]> {
  const { status, headers, body } = await requestJson<Problem>(`${service.url}${path}`, init);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body).toMatchObject({ status, type: `/problems/${body.code}` });
  expect(JSON.stringify(body)).not.toMatch(/node_modules|\/tmp|at \w+ \(/);
  return [status, body.code];
}

describe('invalid requests', () => {
  test.each([
    [
      'a POST that is not multipart',
      'POST',
      '/uploads',
      { 'Content-Type': 'application/json' },
      '{}',
      415,
      'not_multipart',
    ],
    [
      'multipart without a boundary',
      'POST',
      '/uploads',
      { 'Content-Type': 'multipart/form-data' },
      'x',
      400,
      'missing_boundary',
    ],
    [
      'no file part',
      'POST',
      '/uploads',
      { 'Content-Type': 'multipart/form-data; boundary=b' },
      '--b--\r\n',
      400,
      'no_file',
    ],
    [
      'no closing boundary',
      'POST',
      '/uploads',
      { 'Content-Type': 'multipart/form-data; boundary=b' },
      '--b\r\n',
      400,
      'body_cut_short',
    ],
    [
      'an encoded body',
      'PUT',
      `/uploads/${randomUUID()}`,
      { 'Content-Encoding': 'gzip' },
      'x',
      415,
      'unsupported_encoding',
    ],
    ['an id that is not a UUID', 'PUT', '/uploads/..%2f..%2fetc', {}, 'x', 400, 'bad_upload_id'],
    ['an upper-case id', 'PUT', `/uploads/${randomUUID().toUpperCase()}`, {}, 'x', 400, 'bad_upload_id'],
    ['an empty file', 'PUT', `/uploads/${randomUUID()}`, {}, '', 400, 'empty_file'],
    ['options that are not JSON', 'PUT', `/uploads/${randomUUID()}?options={`, {}, 'x', 400, 'bad_options'],
    ['a wrong method', 'PATCH', '/uploads', {}, 'x', 405, 'method_not_allowed'],
    ['an unknown address', 'GET', '/nowhere', {}, undefined, 404, 'not_found'],
    ['an unknown id', 'GET', `/uploads/${randomUUID()}`, {}, undefined, 404, 'unknown_upload'],
    [
      'a timeout with an exponent',
      'GET',
      `/uploads/${randomUUID()}/progress?timeout=1e9`,
      {},
      undefined,
      400,
      'bad_timeout',
    ],
    ['a negative timeout', 'GET', `/uploads/${randomUUID()}/progress?timeout=-1`, {}, undefined, 400, 'bad_timeout'],
    [
      'a timeout given twice',
      'GET',
      `/uploads/${randomUUID()}/progress?timeout=1&timeout=1`,
      {},
      undefined,
      400,
      'bad_timeout',
    ],
    ['an invalid version', 'GET', `/uploads/${randomUUID()}/progress?since=x`, {}, undefined, 400, 'bad_since'],
    ['a variant of an unknown upload', 'GET', '/variants/nobody/160', {}, undefined, 404, 'unknown_variant'],
    ['no upload to watch', 'GET', '/progress', {}, undefined, 400, 'bad_request'],
  ])('are rejected with a status and a code: %s', async (_name, method, path, headers, body, status, code) => {
    expect(await problemOf(path, { method, headers, ...(body === undefined ? {} : { body }) })).toEqual([status, code]);
  });

  test('with a wrong method get a 405 that names the allowed methods', async () => {
    expect((await fetch(`${service.url}/uploads`, { method: 'PUT' })).headers.get('allow')).toBe('POST, OPTIONS');
  });
});

describe('the rejection of a file', () => {
  test('depends on its bytes: a text named .jpg is rejected, and its record says why', async () => {
    const id = randomUUID();
    const refused = await putFile<Problem>(service.url, id, Buffer.from('plain words'), 'photo.jpg');
    expect([refused.status, refused.body.code, refused.body.id]).toEqual([415, 'unsupported_media_type', id]);
    expect((await getJson<Upload>(`${service.url}/uploads/${id}`)).body).toMatchObject({
      state: 'failed',
      error: { code: 'unsupported_media_type' },
    });
    const again = await putFile<Upload>(service.url, id, bytes, 'photo.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect([again.status, again.body.state]).toEqual([200, 'completed']);
  });

  test('comes from the worker if a JPEG is cut: it fails at its first attempt with a reason', async () => {
    const { body } = await postFiles<UploadList>(
      service.url,
      [{ name: 'cut.jpg', bytes: cutShort(bytes) }],
      `?timeout=${LONG_HOLD_MS}`,
    );
    expect(body.uploads[0]).toMatchObject({
      state: 'failed',
      error: { code: 'picture_damaged', status: 422 },
      progress: { attempt: 1 },
    });
    const result = await getJson<Problem>(`${service.url}/uploads/${body.uploads[0]?.id ?? ''}/result`);
    expect(result.body).toMatchObject({ status: 422, code: 'picture_damaged', state: 'failed', final: true });
  });

  test('is the answer to a form if all its files are rejected: the problem of the first one', async () => {
    const files = [
      { name: 'a.jpg', bytes: Buffer.from('words') },
      { name: 'b.jpg', bytes: Buffer.alloc(0) },
    ];
    const { status, body } = await postFiles<Problem>(service.url, files);
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
  });

  test('over the size limit removes it, and keeps the other files of the form', async () => {
    const big = Buffer.concat([bytes, Buffer.alloc(MAX_FILE_BYTES)]);
    const { status, body } = await postFiles<UploadList>(
      service.url,
      [
        { name: 'big.jpg', bytes: big },
        { name: 'ok.jpg', bytes },
      ],
      `?timeout=${LONG_HOLD_MS}`,
    );
    expect(status).toBe(200);
    expect(body.uploads.map((upload) => [upload.state, upload.error?.code ?? null])).toEqual([
      ['failed', 'file_too_large'],
      ['completed', null],
    ]);
  });

  test('comes before its first byte if the announced length is over the limit', async () => {
    const head = `PUT /uploads/${randomUUID()} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${MAX_FILE_BYTES + 1}\r\n\r\n`;
    expect(await rawRequest(service.url, head)).toMatch(
      /^HTTP\/1.1 413 .*"code":"file_too_large","id":"[0-9a-f-]{36}"/s,
    );
    const form =
      'POST /uploads HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000001\r\n\r\n';
    expect(await rawRequest(service.url, form)).toMatch(/^HTTP\/1.1 413 .*"code":"request_too_large"/s);
  });

  test('comes in place of 100 Continue if the client waits for that, and only an accepted file gets it', async () => {
    const expecting = (length: number) =>
      `PUT /uploads/${randomUUID()}?timeout=${LONG_HOLD_MS} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
    expect(await rawRequest(service.url, expecting(MAX_FILE_BYTES + 1))).toMatch(/^HTTP\/1.1 413 /);
    expect(await rawRequest(service.url, expecting(bytes.length), bytes)).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /,
    );
  });

  test('without a length comes at the first byte over the limit', async () => {
    const id = randomUUID();
    const chunk = Buffer.concat([bytes, Buffer.alloc(MAX_FILE_BYTES)]);
    const body = `${chunk.length.toString(16)}\r\n`;
    const head = `PUT /uploads/${id} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await rawRequest(service.url, head, Buffer.from(body), chunk, Buffer.from('\r\n0\r\n\r\n'))).toMatch(
      /^HTTP\/1.1 413 /,
    );
  });

  test('is a 408 if its sender stalls', async () => {
    const head = `PUT /uploads/${randomUUID()} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n`;
    expect(await rawRequest(service.url, head, bytes.subarray(0, 100))).toMatch(
      /^HTTP\/1.1 408 .*"code":"upload_too_slow"/s,
    );
  });
});

describe('malformed HTTP', () => {
  test.each([
    ['a target that cannot be parsed', 'GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad_request'],
    ['a target without a host', 'GET http:// HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad_request'],
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'bad_request'],
    [
      'a negative length',
      'PUT /uploads/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
      400,
      'bad_request',
    ],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'another expectation',
      'PUT /uploads/x HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n',
      417,
      'expectation_failed',
    ],
  ])('%s', async (_name, bytesSent, status, code) => {
    const answer = await rawRequest(service.url, bytesSent);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*application/problem\\+json.*"code":"${code}"`, 's'));
  });

  test('after a complete request does not change the answer to this request', async () => {
    const id = randomUUID();
    const head = `PUT /uploads/${id}?timeout=${LONG_HOLD_MS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    expect(await rawRequest(service.url, head, Buffer.concat([bytes, Buffer.from('surplus')]))).toMatch(
      /^HTTP\/1.1 200 /,
    );
  });
});

test('a client that disconnects halfway leaves a failed record and no file, and may send the id again', async () => {
  const id = randomUUID();
  const head = `PUT /uploads/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  await rawRequest(service.url, head, bytes.subarray(0, bytes.length / 2), 'hang up');
  const failed = await eventually('the record to fail', async () => {
    const { body } = await getJson<Upload>(`${service.url}/uploads/${id}`);
    return body.state === 'failed' && body;
  });
  expect(failed.error).toMatchObject({ code: 'upload_interrupted' });
  expect(await filesOfUpload(service.directory, id)).toEqual([]);
  expect((await putFile<Upload>(service.url, id, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`)).body.state).toBe(
    'completed',
  );
});
