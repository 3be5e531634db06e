import { afterEach, describe, expect, test } from '@jest/globals';
import Router from '@koa/router';
import fs from 'node:fs';
import http from 'node:http';
import { Readable } from 'node:stream';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { ResponseEntity } from '../../../src/deferred/response-entity.ts';
import { closeServers, serve, until } from './serve.ts';

afterEach(closeServers);

/** Returns a result that is set when the response is held. */
function later(value: unknown): DeferredResult {
  const result = new DeferredResult();
  setImmediate(() => result.setResult(value));
  return result;
}

describe('deferredMiddleware', () => {
  test.each<[string, unknown, number, string | undefined, string]>([
    ['an object', { a: 1 }, 200, 'application/json; charset=utf-8', '{"a":1}'],
    ['a string', 'text', 200, 'text/plain; charset=utf-8', 'text'],
    ['a Buffer', Buffer.from('bytes'), 200, 'application/octet-stream', 'bytes'],
    ['null', null, 204, undefined, ''],
    ['undefined', undefined, 204, undefined, ''],
    [
      'an entity',
      new ResponseEntity({ status: 201, body: 'made', headers: { Location: '/x', 'Content-Type': 'text/x' } }),
      201,
      'text/x',
      'made',
    ],
    ['an entity without body', new ResponseEntity({ status: 304, headers: { ETag: 'W/"7"' } }), 304, undefined, ''],
    ['an empty entity', new ResponseEntity(), 204, undefined, ''],
  ])('answers with the value, returned or set as body: %s', async (_name, value, status, type, body) => {
    const served = await serve((ctx) => {
      const result = later(value);
      if (ctx.path === '/returned') return result;
      ctx.body = result;
      return undefined;
    });
    for (const path of ['/returned', '/body']) {
      const answer = await served.get(path);
      expect([path, answer.status, answer.headers['content-type'], answer.body]).toEqual([path, status, type, body]);
    }
  });

  test('sends the headers of an entity and of the handler', async () => {
    const served = await serve((ctx) => {
      ctx.set('Cache-Control', 'no-store');
      return later(new ResponseEntity({ status: 202, body: 'made', headers: { Location: '/x' } }));
    });
    expect((await served.get('/')).headers).toMatchObject({ location: '/x', 'cache-control': 'no-store' });
  });

  test('answers an entity as the error result with its own status', async () => {
    const served = await serve(() => {
      const result = new DeferredResult();
      setImmediate(() => result.setErrorResult(new ResponseEntity({ status: 422, body: { reason: 'unreadable' } })));
      return result;
    });
    expect(await served.get('/')).toMatchObject({ status: 422, body: '{"reason":"unreadable"}' });
  });

  test("keeps the handler's status for an error that is no Error", async () => {
    const served = await serve((ctx) => {
      ctx.status = 422;
      const result = new DeferredResult();
      setImmediate(() => result.setErrorResult('unreadable'));
      return result;
    });
    expect(await served.get('/')).toMatchObject({ status: 422, body: 'unreadable' });
  });

  test('receives the return value through a router and through async handlers', async () => {
    const router = new Router();
    router.get('/returned/:id', (ctx) => later(`returned ${ctx.params.id}`));
    router.get(
      '/async',
      (_ctx, next) => next(),
      async () => Promise.resolve(later('async')),
    );
    const nested = new Router();
    nested.use('/nested', router.routes());
    const served = await serve([], { mount: (app) => app.use(router.routes()).use(nested.routes()) });
    expect((await served.get('/returned/7')).body).toBe('returned 7');
    expect((await served.get('/async')).body).toBe('async');
    expect((await served.get('/nested/async')).body).toBe('async');
  });

  test('needs the result as the body if a middleware drops the value of next()', async () => {
    const swallow = async (_ctx: unknown, next: () => Promise<unknown>): Promise<void> => {
      await next();
    };
    const served = await serve([
      swallow,
      (ctx) => {
        ctx.body = later('as the body');
      },
    ]);
    expect((await served.get('/')).body).toBe('as the body');
  });

  test('leaves other responses untouched', async () => {
    const seen: unknown[] = [];
    const served = await serve(
      (ctx) => {
        ctx.body = 'plain';
        return 'returned';
      },
      {
        above: [
          async (_ctx, next) => {
            seen.push(await next());
          },
        ],
      },
    );
    expect((await served.get('/')).body).toBe('plain');
    expect(seen).toEqual(['returned']);
  });

  test('lets a middleware above see and change the finished response', async () => {
    const seen: unknown[] = [];
    const served = await serve(
      () => later(new ResponseEntity({ status: 201, body: { id: 1 }, headers: { 'X-Own': 'yes' } })),
      {
        above: [
          async (ctx, next) => {
            await next();
            seen.push(ctx.status, ctx.body, ctx.response.get('X-Own'));
            ctx.set('X-Above', 'added');
          },
        ],
      },
    );
    const answer = await served.get('/');
    expect(seen).toEqual([201, { id: 1 }, 'yes']);
    expect(answer.headers['x-above']).toBe('added');
  });

  test('never holds a result that is set already', async () => {
    const result = new DeferredResult();
    result.setResult('value');
    const served = await serve(() => result, { maxHeld: 0 });
    expect((await served.get('/')).body).toBe('value');
  });

  test('answers with an error if the value cannot be sent, and the setter does not throw', async () => {
    const result = new DeferredResult<unknown>();
    const served = await serve(() => result);
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    expect(result.setResult(new ResponseEntity({ body: 'made', headers: { 'X-Broken': 'a\nb' } }))).toBe(true);
    expect((await answer).status).toBe(500);
    expect(served.appErrors).toEqual([expect.objectContaining({ code: 'ERR_INVALID_CHAR' })]);
    expect(served.manager.held).toBe(0);
  });

  test('holds and answers a HEAD request like others', async () => {
    const served = await serve(() => later({ a: 1 }));
    const response = await new Promise<http.IncomingMessage>((resolve) => {
      http.request(served.url, { method: 'HEAD', agent: false }, resolve).end();
    });
    response.resume();
    expect([response.statusCode, response.headers['content-length']]).toEqual([200, '7']);
  });

  test('cuts the response if a stream fails half way, and leaks nothing', async () => {
    const endings: unknown[] = [];
    const stream = new Readable({ read() {} });
    stream.push('first half');
    const served = await serve(() => later(stream));
    served.manager.register('endings', { afterCompletion: (held) => endings.push([held.ending, held.isUnusable]) });
    const failed = new Promise((resolve) => {
      http.get(served.url, { agent: false }, (response) => {
        response.on('error', resolve);
        response.once('data', () => stream.destroy(new Error('disk gone')));
      });
    });
    expect(await failed).toMatchObject({ code: 'ECONNRESET' });
    await until(() => endings.length > 0);
    expect(endings).toEqual([['value', true]]);
    expect([served.manager.held, served.manager.timers, stream.destroyed]).toEqual([0, 0, true]);
    expect(served.appErrors).toContainEqual(new Error('disk gone'));
  });

  test('answers with an error if a stream has failed before it is sent', async () => {
    const gone = Object.assign(new Error('gone'), { status: 410, expose: true });
    const failed = new Readable({ read() {} });
    failed.on('error', () => {});
    failed.destroy(gone);
    const served = await serve((ctx) => later(ctx.path === '/entity' ? new ResponseEntity({ body: failed }) : failed));
    expect(await served.get('/')).toMatchObject({ status: 410, body: 'gone' });
    expect(await served.get('/entity')).toMatchObject({ status: 410, body: 'gone' });
    const closed = new Readable({ read() {} });
    closed.destroy();
    const other = await serve(() => later(closed));
    expect((await other.get('/')).status).toBe(500);
  });

  test('cuts the connection if a stream fails before its first byte, and leaks nothing', async () => {
    const served = await serve(() => later(fs.createReadStream('/nowhere/at/all')));
    await expect(served.get('/')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await until(() => served.appErrors.length > 0);
    expect(served.appErrors).toContainEqual(expect.objectContaining({ code: 'ENOENT' }));
    expect([served.manager.held, served.manager.timers]).toEqual([0, 0]);
  });

  test('destroys a stream if the client leaves half way', async () => {
    const endings: unknown[] = [];
    const stream = new Readable({ read() {} });
    stream.push('first half');
    const served = await serve(() => later(stream));
    served.manager.register('endings', { afterCompletion: (held) => endings.push(held.ending) });
    const request = served.open('/');
    request.on('response', () => request.destroy());
    await until(() => endings.length > 0 && stream.destroyed);
    expect(endings).toEqual(['value']);
  });

  test('destroys a stream unread if the client leaves in the same tick', async () => {
    const stream = new Readable({ read() {} });
    const result = new DeferredResult<unknown>();
    const served = await serve(() => result);
    served.open('/');
    await until(() => served.manager.held === 1);
    served.contexts[0]!.req.socket.destroy();
    expect(result.setResult(stream)).toBe(true);
    expect(stream.destroyed).toBe(true);
    expect(served.contexts[0]!.respond).toBe(false);
  });
});
