import Router from '@koa/router';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { serviceRoutes } from '../../../src/routes/service-routes.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';

const TEXT = 'a page\n'.repeat(100);
const BODIES = { br: Buffer.from('brotli'), gzip: gzipSync(TEXT), identity: Buffer.from(TEXT) };

let served: Served;

beforeEach(async () => {
  const router = new Router();
  serviceRoutes(router, {
    checkReady: async () => undefined,
    metrics: { contentType: 'text/plain', text: async () => '' },
    openApi: {},
    assets: {
      files: new Map([['/', { bodies: BODIES, type: 'text/html; charset=utf-8', tag: 'abc' }]]),
      contentSecurityPolicy: "default-src 'none'",
    },
  });
  served = await serve(routesOf(router));
});
afterEach(() => served.close());

/** `fetch` would say by itself which codings it takes. */
async function ask(
  headers: Record<string, string>,
): Promise<{ status: number; coding: string | undefined; etag: string | undefined; body: string }> {
  return await new Promise((resolve, reject) => {
    const sent = request(served.url, { headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { 'content-encoding': coding, etag, vary } = response.headers;
        expect(vary).toBe('Accept-Encoding');
        resolve({ status: response.statusCode ?? 0, coding, etag, body: Buffer.concat(chunks).toString('latin1') });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the page', () => {
  test.each([
    ['gzip, deflate, br, zstd', 'br', '"abc-br"'],
    ['gzip;q=1.0, br;q=0', 'gzip', '"abc-gzip"'],
    ['deflate', undefined, '"abc"'],
    ['*', 'br', '"abc-br"'],
  ])('comes in the smallest coding of "%s"', async (accepted, coding, etag) => {
    const answer = await ask({ 'Accept-Encoding': accepted });
    expect(answer).toEqual({
      status: 200,
      coding,
      etag,
      body: BODIES[coding === 'br' || coding === 'gzip' ? coding : 'identity'].toString('latin1'),
    });
  });

  test('comes plain to those who do not say', async () => {
    expect(await ask({})).toMatchObject({ coding: undefined, body: TEXT });
  });

  test('is not sent again to those who have it, in the same coding', async () => {
    const headers = { 'Accept-Encoding': 'gzip', 'If-None-Match': '"abc-gzip"' };
    expect(await ask(headers)).toMatchObject({ status: 304, body: '' });
    expect((await ask({ ...headers, 'Accept-Encoding': 'br' })).status).toBe(200);
  });
});
