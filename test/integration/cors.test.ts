import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Upload } from '../../src/wire/documents.ts';
import { putFile } from '../helpers/client.ts';
import { photo } from '../helpers/pictures.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { startService, type Service } from '../helpers/service.ts';

const APP = 'https://app.example';

/** No worker runs, so uploads stay queued and their pictures stay placeholders. */
let service: Service;
let bytes: Buffer;
let upload: Upload;

beforeAll(async () => {
  const env = {
    CORS_ORIGINS: `${APP},https://other.example`,
    UPLOAD_MAX_BYTES: '100000',
    UPLOAD_MAX_REQUEST_BYTES: '200000',
  };
  [service, bytes] = await Promise.all([startService({ workers: 0, env }), photo({ width: 300, height: 200 })]);
  upload = (await putFile<Upload>(service.url, randomUUID(), bytes, 'a.jpg')).body;
});

afterAll(async () => {
  await service.stop();
});

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { Origin: APP, ...(init.headers as Record<string, string> | undefined) };
  return await fetch(service.url + path, { ...init, headers });
}

/** Checks that each header appears once. A header that appears twice would be joined by a comma. */
function expectReadable({ headers }: Response): void {
  expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([APP, 'Origin']);
  const exposed = (headers.get('access-control-expose-headers') ?? '').toLowerCase().split(',');
  expect([exposed.includes('upload-offset'), new Set(exposed).size]).toEqual([true, exposed.length]);
}

function bodyOf(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size).fill(65);
}

const TUS = { 'Tus-Resumable': '1.0.0' };

describe('a page of a listed origin', () => {
  const of = (part: string) => `/uploads/${upload.id}${part}`;

  test.each([
    ['an upload', () => ask(of('')), 200],
    ['a held poll that timed out', () => ask(of(`/progress?since=${upload.version}&timeout=20`)), 200],
    [
      'a conditional poll that timed out as 304',
      () => ask(of('/progress?timeout=20'), { headers: { 'If-None-Match': `W/"${upload.version}"` } }),
      304,
    ],
    ['a request with Prefer', () => ask(of('/result'), { headers: { Prefer: 'wait=0' } }), 202],
    ['a file', () => ask(of('/content')), 200],
    ['a part of a file', () => ask(of('/content'), { headers: { Range: 'bytes=0-9' } }), 206],
    ['a placeholder', () => ask(`/variants/${upload.publicId}/160?timeout=20`), 200],
    ['an unknown upload', () => ask(`/uploads/${randomUUID()}`), 404],
    ['an unknown address', () => ask('/nowhere'), 404],
    ['a wrong method', () => ask('/uploads', { method: 'PATCH' }), 405],
    ['a bad timeout', () => ask(of('/progress?timeout=x')), 400],
    ['the stream of an unknown upload', () => ask(`/uploads/${randomUUID()}/events`), 404],
  ])('may read the answer: %s', async (_name, answer, status) => {
    const response = await answer();
    await response.arrayBuffer();
    expect(response.status).toBe(status);
    expectReadable(response);
  });

  test.each([
    [
      'a file of an unsupported type',
      () => ask(`/uploads/${randomUUID()}`, { method: 'PUT', body: 'text' }),
      415,
      'unsupported_media_type',
    ],
    [
      'a file too large by its length',
      () => ask(`/uploads/${randomUUID()}`, { method: 'PUT', body: bodyOf(150_000) }),
      413,
      'file_too_large',
    ],
    [
      'a form too large by its length',
      () => ask('/uploads', { method: 'POST', body: bodyOf(300_000) }),
      413,
      'request_too_large',
    ],
    ['a body that is not a form', () => ask('/uploads', { method: 'POST', body: 'text' }), 415, 'not_multipart'],
  ])('may read the rejection of %s', async (_name, answer, status, code) => {
    const response = await answer();
    expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ code })]);
    expectReadable(response);
  });

  test('may read Server-Sent Events', async () => {
    const response = await ask(of('/events'));
    expectReadable(response);
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('event: progress');
    await reader?.cancel();
  });

  test('may read every answer of a resumable upload, with no CORS headers of the tus server', async () => {
    const preflight = await ask('/files', {
      method: 'OPTIONS',
      headers: { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'tus-resumable' },
    });
    expect([
      preflight.status,
      preflight.headers.get('access-control-allow-origin'),
      preflight.headers.get('tus-version'),
    ]).toEqual([204, APP, null]);
    // Without the headers of a preflight, the request is an OPTIONS of the tus protocol, which no browser sends.
    const protocol = await ask('/files', { method: 'OPTIONS' });
    expect([protocol.status, protocol.headers.get('tus-version')]).toEqual([204, '1.0.0']);
    const made = await ask('/files', { method: 'POST', headers: { ...TUS, 'Upload-Length': String(bytes.length) } });
    const location = made.headers.get('location') ?? '';
    const head = await ask(location, { method: 'HEAD', headers: TUS });
    const conflict = await ask(location, {
      method: 'PATCH',
      body: 'x',
      headers: { ...TUS, 'Upload-Offset': '5', 'Content-Type': 'application/offset+octet-stream' },
    });
    const gone = await ask(location, { method: 'DELETE', headers: TUS });
    expect([made.status, head.status, conflict.status, gone.status]).toEqual([201, 200, 409, 204]);
    for (const response of [made, head, conflict, gone]) {
      expectReadable(response);
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control')).length).toBe(2);
    }
  });
});

test('a service without listed origins sends no CORS headers', async () => {
  const api = await service.addApi({ CORS_ORIGINS: '' });
  for (const init of [{}, { method: 'OPTIONS', headers: { 'Access-Control-Request-Method': 'PUT' } }]) {
    const { headers } = await fetch(`${api.url}/uploads/${upload.id}`, {
      ...init,
      headers: { ...init.headers, Origin: APP },
    });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control') || name === 'vary')).toEqual([]);
  }
});

describe('a page of an origin that is not listed', () => {
  test.each<[what: string, path: () => string, init: RequestInit]>([
    ['send a form', () => '/uploads', { method: 'POST', body: new FormData() }],
    [
      'send a form without naming itself',
      () => '/uploads',
      { method: 'POST', headers: { 'Sec-Fetch-Site': 'cross-site' } },
    ],
    ['put a file', () => `/uploads/${randomUUID()}`, { method: 'PUT', body: 'text' }],
    ['begin a resumable upload', () => '/files', { method: 'POST', headers: { ...TUS, 'Upload-Length': '5' } }],
    ['cancel an upload', () => `/uploads/${upload.id}/cancel`, { method: 'POST' }],
    ['delete an upload', () => `/uploads/${upload.id}`, { method: 'DELETE' }],
  ])('cannot %s (403)', async (_what, path, init) => {
    const headers = new Headers(init.headers);
    if (!headers.has('Sec-Fetch-Site')) headers.set('Origin', 'http://evil.test');
    const response = await fetch(service.url + path(), { ...init, headers });
    expect([response.status, await response.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'foreign_origin' }),
    ]);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('cannot use a name of its own that points at this machine (421)', async () => {
    for (const request of ['GET /metrics', 'GET /', `GET /uploads/${upload.id}`, 'POST /uploads', 'GET /operators']) {
      const answer = await rawRequest(
        service.url,
        `${request} HTTP/1.1\r\nHost: rebind.test:3000\r\nOrigin: http://rebind.test:3000\r\nSec-Fetch-Site: same-origin\r\n\r\n`,
      );
      expect([request, answer.slice(0, 12), answer.includes('"misdirected_host"')]).toEqual([
        request,
        'HTTP/1.1 421',
        true,
      ]);
    }
  });

  test('has not changed the upload', async () => {
    expect((await fetch(`${service.url}/uploads/${upload.id}`)).status).toBe(200);
  });
});
