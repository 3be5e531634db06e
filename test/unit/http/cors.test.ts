import { afterEach, describe, expect, test } from '@jest/globals';
import type { Middleware } from 'koa';
import { crossOrigin } from '../../../src/http/cors.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { serve, type Served } from './serve.ts';

const APP = 'https://app.example';
const OTHER = 'https://other.example';

let served: Served | undefined;

afterEach(async () => {
  await served?.close();
});

async function ask(
  origins: readonly string[],
  init: RequestInit & { path?: string },
  handler: Middleware = (ctx) => (ctx.body = 'x'),
): Promise<Response> {
  served = await serve(problemResponses(silentLog), crossOrigin(origins), handler);
  return await fetch(served.url + (init.path ?? '/'), init);
}

function preflight(origin: string, method = 'PUT'): RequestInit {
  const headers = {
    Origin: origin,
    'Access-Control-Request-Method': method,
    'Access-Control-Request-Headers': 'prefer, tus-resumable',
  };
  return { method: 'OPTIONS', headers };
}

function listIn(response: Response, name: string): string[] {
  return (response.headers.get(name) ?? '').split(',').map((part) => part.trim());
}

describe('a preflight', () => {
  test('of a listed origin is answered with the allowed methods and headers, and how long that is valid', async () => {
    const response = await ask([APP, OTHER], preflight(OTHER));
    expect([response.status, await response.text(), response.headers.get('access-control-allow-origin')]).toEqual([
      204,
      '',
      OTHER,
    ]);
    expect(listIn(response, 'access-control-allow-methods')).toEqual(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
    expect(listIn(response, 'access-control-allow-headers')).toEqual(['prefer', 'tus-resumable']);
    expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThan(0);
  });

  test('allows every header that a client library adds, and never credentials', async () => {
    const asked = 'cache-control,pragma,traceparent,upload-name,x-anything';
    const { headers } = preflight(APP);
    const response = await ask([APP], {
      method: 'OPTIONS',
      headers: { ...(headers as Record<string, string>), 'Access-Control-Request-Headers': asked },
    });
    expect(listIn(response, 'access-control-allow-headers')).toEqual(asked.split(','));
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('reaches no handler', async () => {
    let calls = 0;
    await ask(['*'], preflight(APP, 'DELETE'), () => void (calls += 1));
    expect(calls).toBe(0);
  });

  test('of an origin that is not listed gets no CORS headers', async () => {
    const response = await ask([APP], preflight(OTHER));
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(response.headers.get('vary')).toBe('Origin');
  });
});

describe('an answer', () => {
  test.each([
    [[APP], APP, APP],
    [['*'], APP, '*'],
    [[APP], OTHER, null],
    [[APP], `${APP}.evil.example`, null],
    [[APP], 'null', null],
  ])('of a service for %j to %s allows %s', async (origins, origin, allowed) => {
    const { headers } = await ask(origins, { headers: { Origin: origin } });
    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([allowed, 'Origin']);
  });

  test('lets a page read the headers of the API', async () => {
    const response = await ask([APP], { headers: { Origin: APP } });
    const names = ['Location', 'ETag', 'Retry-After', 'Preference-Applied', 'X-Timed-Out', 'X-Request-Id'];
    const ofTus = [
      'Tus-Resumable',
      'Tus-Version',
      'Tus-Extension',
      'Tus-Max-Size',
      'Upload-Offset',
      'Upload-Length',
      'Upload-Metadata',
      'Upload-Expires',
    ];
    expect(listIn(response, 'access-control-expose-headers')).toEqual(expect.arrayContaining([...names, ...ofTus]));
  });

  test('never allows credentials', async () => {
    for (const init of [preflight(APP), { headers: { Origin: APP, Cookie: 'a=b' } }]) {
      expect((await ask(['*'], init)).headers.has('access-control-allow-credentials')).toBe(false);
      await served?.close();
    }
  });

  test.each([
    [
      'an error that was thrown',
      (): never => {
        throw new Error('fault');
      },
      500,
    ],
    ['what nobody answered', () => undefined, 404],
  ])('is readable for %s too', async (_name, handler, status) => {
    const response = await ask([APP], { headers: { Origin: APP } }, handler);
    expect([
      response.status,
      response.headers.get('access-control-allow-origin'),
      response.headers.get('vary'),
    ]).toEqual([status, APP, 'Origin']);
  });

  test('varies by origin even without an origin, and keeps its other Vary', async () => {
    const { headers } = await ask([APP], {}, (ctx) => {
      ctx.vary('Accept');
      ctx.body = 'x';
    });
    expect([headers.get('vary'), headers.get('access-control-allow-origin')]).toEqual(['Origin, Accept', null]);
  });
});
