import Router from '@koa/router';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { request, type IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { ServiceError } from '../../../src/errors.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { serviceRoutes } from '../../../src/routes/service-routes.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';

const TEXT = 'a page\n'.repeat(100);
const BODIES = { br: Buffer.from('brotli'), gzip: gzipSync(TEXT), identity: Buffer.from(TEXT) };

const OPEN_API = { openapi: '3.1.0', paths: Object.fromEntries(TEXT.split('\n').map((line, index) => [index, line])) };

let served: Served;

beforeEach(async () => {
  const router = new Router();
  serviceRoutes(router, {
    countWorkers: async () => 2,
    checkReady: async () => undefined,
    metrics: { contentType: 'text/plain', text: async () => '' },
    openApi: () => OPEN_API,
    assets: {
      files: new Map([['/', { bodies: BODIES, type: 'text/html; charset=utf-8', tag: 'abc' }]]),
      contentSecurityPolicy: "default-src 'none'",
    },
  });
  served = await serve(routesOf(router));
});
afterEach(() => served.close());

interface Answer {
  status: number;
  coding: string | undefined;
  etag: string | undefined;
  body: string;
  headers: IncomingHttpHeaders;
}

/** Sends a request without `fetch`, which adds an Accept-Encoding of its own. */
async function ask(headers: Record<string, string>, path = '/'): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const sent = request(served.url + path, { headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { 'content-encoding': coding, etag, vary } = response.headers;
        expect(vary).toBe('Accept-Encoding');
        const body = Buffer.concat(chunks).toString('latin1');
        resolve({ status: response.statusCode ?? 0, coding, etag, body, headers: response.headers });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('a page of any origin can ask without CORS whether the process runs', async () => {
  const response = await fetch(`${served.url}/healthz`);
  expect(response.headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin');
});

describe('the service routes next to a management address', () => {
  test('say only whether the process is ready and no worker runs, and serve no metrics and no reference', async () => {
    const router = new Router();
    let isReady = true;
    let workers = 2;
    serviceRoutes(router, {
      countWorkers: async () => workers,
      checkReady: async () => {
        if (!isReady) throw new ServiceError('storage_unavailable', 'The storage is away.');
      },
      metrics: { contentType: 'text/plain', text: async () => 'secret 1' },
      openApi: () => OPEN_API,
      assets: { files: new Map(), contentSecurityPolicy: '' },
      hasManagementAddress: true,
    });
    const bare = await serve(problemResponses(pino({ level: 'silent' })), routesOf(router));
    const ask = async (path: string) => {
      const response = await fetch(bare.url + path);
      return [response.status, await response.json()];
    };
    try {
      expect(await ask('/healthz')).toEqual([200, { status: 'ok' }]);
      expect(await ask('/readyz')).toEqual([200, { status: 'ready' }]);
      workers = 0;
      expect(await ask('/readyz')).toEqual([200, { status: 'ready', workers: 0 }]);
      isReady = false;
      expect(await ask('/readyz')).toEqual([503, expect.objectContaining({ code: 'service_unavailable' })]);
      expect(JSON.stringify(await ask('/readyz'))).not.toContain('storage');
      for (const path of ['/metrics', '/openapi.json'])
        expect(await ask(path)).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
    } finally {
      await bare.close();
    }
  });
});

describe('the page', () => {
  test.each([
    ['gzip, deflate, br, zstd', 'br', '"abc-br"'],
    ['gzip;q=1.0, br;q=0', 'gzip', '"abc-gzip"'],
    ['deflate', undefined, '"abc"'],
    ['*', 'br', '"abc-br"'],
  ])('is sent in the smallest encoding of "%s"', async (accepted, coding, etag) => {
    const answer = await ask({ 'Accept-Encoding': accepted });
    expect(answer).toMatchObject({
      status: 200,
      coding,
      etag,
      body: BODIES[coding === 'br' || coding === 'gzip' ? coding : 'identity'].toString('latin1'),
    });
  });

  test('is sent without encoding to a client that names none', async () => {
    expect(await ask({})).toMatchObject({ coding: undefined, body: TEXT });
  });

  test('is not sent again to a client that has it in the same encoding', async () => {
    const headers = { 'Accept-Encoding': 'gzip', 'If-None-Match': '"abc-gzip"' };
    expect(await ask(headers)).toMatchObject({ status: 304, body: '' });
    expect((await ask({ ...headers, 'Accept-Encoding': 'br' })).status).toBe(200);
  });
});

test('the page is isolated from other windows and may use no feature that it does not need', async () => {
  const { headers } = await ask({});
  expect(headers).toMatchObject({
    'content-security-policy': "default-src 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'geolocation=(), microphone=(), payment=(), usb=()',
  });
});

describe('the API reference', () => {
  const askFor = (headers: Record<string, string>) => ask(headers, '/openapi.json');

  test('comes compressed if the client accepts it', async () => {
    const whole = JSON.stringify(OPEN_API);
    const [br, gzip, plain] = await Promise.all(
      ['br', 'gzip', 'identity'].map((coding) => askFor({ 'Accept-Encoding': coding })),
    );
    expect([br?.coding, gzip?.coding, plain?.coding]).toEqual(['br', 'gzip', undefined]);
    expect(brotliDecompressSync(Buffer.from(br?.body ?? '', 'latin1')).toString()).toBe(whole);
    expect(gunzipSync(Buffer.from(gzip?.body ?? '', 'latin1')).toString()).toBe(whole);
    expect(plain?.body).toBe(whole);
    expect(plain?.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(br?.body.length).toBeLessThan(whole.length / 2);
  });

  test('has a strong entity tag for each coding and is not sent again to a client that has it (304)', async () => {
    const { etag = '' } = await askFor({ 'Accept-Encoding': 'br' });
    expect(etag).toMatch(/^"[\w-]{22}-br"$/);
    expect((await askFor({})).etag).toBe(etag.replace('-br', ''));
    const again = await askFor({ 'Accept-Encoding': 'br', 'If-None-Match': etag });
    expect(again).toMatchObject({ status: 304, body: '', etag });
    expect((await askFor({ 'Accept-Encoding': 'gzip', 'If-None-Match': etag })).status).toBe(200);
  });
});
