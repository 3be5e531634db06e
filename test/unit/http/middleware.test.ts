import Router from '@koa/router';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Middleware } from 'koa';
import { openCaller } from '../../../src/access/caller.ts';
import { accessLog } from '../../../src/http/access-log.ts';
import { checkExistence, unmatchedChanges } from '../../../src/http/conditional-request.ts';
import { methodNotAllowed } from '../../../src/http/method-not-allowed.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { openScope, requestIdOf, requestIds, withCaller } from '../../../src/http/request-scope.ts';
import { onRequestEnd } from '../../../src/http/request-end.ts';
import { NO_SPAN } from '../../../src/telemetry/tracing.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';
import { routesOf, serve, type Served } from './serve.ts';

let served: Served | undefined;

afterEach(async () => {
  await served?.close();
});

function logOf() {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write: (line: Buffer, _encoding, done) =>
      done(void lines.push(JSON.parse(line.toString()) as Record<string, unknown>)),
  });
  return { lines, log: pino({ level: 'info' }, sink) };
}

describe('an existing address requested with another method', () => {
  async function routed() {
    const router = new Router({ strict: true });
    router.get('/uploads/:id', (ctx) => (ctx.body = 'got'));
    router.delete('/uploads/:id', (ctx) => (ctx.status = 204));
    router.post('/uploads', (ctx) => (ctx.body = 'posted'));
    served = await serve(problemResponses(silentLog), routesOf(router), methodNotAllowed());
    return served.url;
  }

  test.each(['POST', 'PUT', 'PATCH'])('is a 405 with Allow (%s)', async (method) => {
    const response = await fetch(`${await routed()}/uploads/1`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, OPTIONS']);
    expect(await response.json()).toMatchObject({
      code: 'method_not_allowed',
      detail: expect.stringContaining('DELETE') as unknown,
    });
  });

  test('answers OPTIONS with Allow', async () => {
    const response = await fetch(`${await routed()}/uploads`, { method: 'OPTIONS' });
    expect([response.status, response.headers.get('allow')]).toEqual([204, 'POST, OPTIONS']);
  });

  test('is served for GET and HEAD, and an unknown address is a 404', async () => {
    const url = await routed();
    expect((await fetch(`${url}/uploads/1`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${url}/uploads/1/`)).status).toBe(404);
    for (const method of ['GET', 'OPTIONS', 'DELETE'])
      expect([method, (await fetch(`${url}/nowhere`, { method })).status]).toEqual([method, 404]);
  });
});

describe('a request that changes something', () => {
  test.each([
    ['DELETE', '"7"', 412],
    ['PUT', 'W/"7"', 412],
    ['POST', '*', 200],
    ['GET', '"7"', 200],
  ])('with If-Match is not performed unless it is * (%s, %s)', async (method, tag, status) => {
    served = await serve(problemResponses(silentLog), unmatchedChanges(), (ctx) => void (ctx.body = 'performed'));
    const response = await fetch(served.url, { method, headers: { 'If-Match': tag } });
    expect(response.status).toBe(status);
  });

  test.each([
    ['If-Match', '*', false, 412],
    ['If-Match', ' * ', true, 200],
    ['If-None-Match', '*', true, 412],
    ['If-None-Match', '*', false, 200],
    ['If-None-Match', '"7"', true, 200],
  ])('and would create an upload obeys %s: %j (it exists: %j, answer %d)', async (header, value, exists, status) => {
    served = await serve(problemResponses(silentLog), async (ctx) => {
      await checkExistence(ctx, () => Promise.resolve(exists));
      ctx.body = 'performed';
    });
    expect((await fetch(served.url, { method: 'PUT', headers: { [header]: value } })).status).toBe(status);
  });

  test('reads no record if it has neither If-Match: * nor If-None-Match: *', async () => {
    served = await serve(problemResponses(silentLog), async (ctx) => {
      await checkExistence(ctx, () => Promise.reject(new Error('read')));
      ctx.body = 'performed';
    });
    expect((await fetch(served.url, { method: 'PUT' })).status).toBe(200);
  });
});

describe('the id of a request', () => {
  const echo: Middleware = async (ctx) => {
    await turn();
    ctx.body = requestIdOf(ctx);
  };

  test('is that of its X-Request-Id if valid, in every step of the work', async () => {
    served = await serve(requestIds(), problemResponses(silentLog), echo);
    const response = await fetch(served.url, { headers: { 'X-Request-Id': 'abc-1.2_3' } });
    expect([await response.text(), response.headers.get('x-request-id')]).toEqual(['abc-1.2_3', 'abc-1.2_3']);
  });

  test.each(['', 'a b', 'a"b', 'x'.repeat(65), '{}', 'a,b'])('is a new one if X-Request-Id is %j', async (given) => {
    served = await serve(requestIds(), problemResponses(silentLog), echo);
    const response = await fetch(served.url, { headers: { 'X-Request-Id': given } });
    const id = await response.text();
    expect(id).toMatch(/^[A-Za-z0-9_-]{20}$/);
    expect(response.headers.get('x-request-id')).toBe(id);
  });

  test('differs between two requests at the same time', async () => {
    served = await serve(requestIds(), problemResponses(silentLog), echo);
    const { url } = served;
    const ids = await Promise.all([1, 2, 3].map(async () => await (await fetch(url)).text()));
    expect(new Set(ids).size).toBe(3);
  });

  test('is in the scope of the request and in each of its log lines', async () => {
    const { log, lines } = logOf();
    served = await serve(requestIds(), (ctx) => {
      const scope = openScope(ctx, { log, addressOf: () => '192.0.2.1' });
      scope.log.info('inside');
      ctx.body = `${scope.id} ${scope.address}`;
    });
    const response = await fetch(served.url, { headers: { 'X-Request-Id': 'r1' } });
    expect([await response.text(), lines[0]?.['requestId']]).toEqual(['r1 192.0.2.1', 'r1']);
  });
});

describe('the scope of a request whose caller is known', () => {
  test('names the tenant and the key in its log lines, except in open mode', () => {
    const { log, lines } = logOf();
    const scope = { id: 'r1', address: '192.0.2.1', caller: openCaller, log, span: NO_SPAN };
    withCaller(scope, openCaller).log.info('open');
    const caller = { ...openCaller, via: 'key' as const, tenant: 'acme', keyId: 'k1' };
    const known = withCaller(scope, caller);
    known.log.info('known');
    expect(known.caller).toBe(caller);
    expect(lines).toEqual([
      expect.not.objectContaining({ tenant: expect.anything() }),
      expect.objectContaining({ tenant: 'acme', keyId: 'k1' }),
    ]);
  });
});

describe('the log line of a request', () => {
  async function lineOf(path: string, handler: Middleware = (ctx) => (ctx.body = 'x')) {
    const { log, lines } = logOf();
    served = await serve(requestIds(), onRequestEnd(accessLog(log)), handler);
    await fetch(`${served.url}${path}`, { headers: { 'X-Request-Id': 'r1' } })
      .then((response) => response.text())
      .catch(() => undefined);
    await turnsUntil('the line', () => lines.length > 0);
    return lines;
  }

  test('contains the request and its status, and not the query', async () => {
    const [line, ...more] = await lineOf('/uploads/1?since=3&secret=x');
    expect(line).toMatchObject({ msg: 'request', method: 'GET', path: '/uploads/1', status: 200, requestId: 'r1' });
    expect([JSON.stringify(line).includes('secret'), line?.['clientGone'], more]).toEqual([false, undefined, []]);
  });

  test('is not longer than the longest address of the service', async () => {
    const [line] = await lineOf(`/${'x'.repeat(5000)}`);
    expect(String(line?.['path']).length).toBeLessThanOrEqual(200);
  });

  test('says that the client has disconnected', async () => {
    const [line] = await lineOf('/', (ctx) => {
      ctx.respond = false;
      ctx.res.write('half');
      ctx.req.socket.destroy();
    });
    expect(line).toMatchObject({ clientGone: true });
  });

  test('is not written for addresses that machines poll every few seconds', async () => {
    const { log, lines } = logOf();
    served = await serve(requestIds(), onRequestEnd(accessLog(log)), (ctx) => (ctx.body = 'x'));
    for (const path of ['/healthz', '/readyz', '/metrics', '/']) await (await fetch(`${served.url}${path}`)).text();
    await turnsUntil('the line', () => lines.length > 0);
    expect(lines.map(({ path }) => path)).toEqual(['/']);
  });
});

test('every answer has the headers against sniffing, referrers and scripts', async () => {
  served = await serve(problemResponses(silentLog), (ctx) => {
    if (ctx.path === '/fault') throw new Error('fault');
    ctx.body = 'x';
  });
  for (const path of ['/', '/fault']) {
    const { headers } = await fetch(served.url + path);
    expect([headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual(['nosniff', 'no-referrer']);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});
