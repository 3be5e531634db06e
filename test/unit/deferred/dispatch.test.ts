import { afterEach, describe, expect, test } from '@jest/globals';
import Router from '@koa/router';
import type { Context } from 'koa';
import { AsyncContext } from '../../../src/deferred/async-context.ts';
import { DeferredManager } from '../../../src/deferred/deferred-manager.ts';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { Dispatch } from '../../../src/deferred/dispatch.ts';
import { deferredMiddleware } from '../../../src/deferred/middleware.ts';
import { closeServers, serve, settle, until } from './serve.ts';

afterEach(closeServers);

describe('dispatch', () => {
  test("runs the request's own path again, with its query and state", async () => {
    const runs: unknown[] = [];
    const served = await serve((ctx) => {
      runs.push([ctx.url, ctx.originalUrl, ctx.state.visits]);
      if (ctx.state.visits) {
        ctx.body = 'second visit';
        return;
      }
      ctx.state.visits = 1;
      const started = AsyncContext.start(ctx);
      setImmediate(() => started.dispatch());
    });
    expect((await served.get('/own?x=1&y=2')).body).toBe('second visit');
    expect(runs).toEqual([
      ['/own?x=1&y=2', '/own?x=1&y=2', undefined],
      ['/own?x=1&y=2', '/own?x=1&y=2', 1],
    ]);
  });

  test('runs another path of the app through its router, and keeps originalUrl', async () => {
    const router = new Router();
    router.get('/wait/:id', (ctx) => {
      ctx.state.from = ctx.params.id;
      const started = AsyncContext.start(ctx);
      setImmediate(() => started.dispatch('/files/picture?size=small'));
    });
    router.get('/files/:name', (ctx) => {
      ctx.body = { params: ctx.params, query: { ...ctx.query }, from: ctx.state.from, at: ctx.originalUrl };
    });
    const above: unknown[] = [];
    const served = await serve([], {
      mount: (app) => app.use(router.routes()).use(router.allowedMethods()),
      above: [
        async (ctx, next) => {
          await next();
          above.push(ctx.url, ctx._matchedRoute);
        },
      ],
    });
    expect(JSON.parse((await served.get('/wait/7?size=large&page=3')).body)).toEqual({
      params: { name: 'picture' },
      query: { size: 'small', page: '3' },
      from: '7',
      at: '/wait/7?size=large&page=3',
    });
    expect(above).toEqual(['/wait/7?size=large&page=3', '/files/:name']);
  });

  test('answers 404 for a path without a handler, and rejects one without a slash', async () => {
    const router = new Router();
    router.get('/wait/:id', (ctx) => {
      const started = AsyncContext.start(ctx);
      expect(() => started.dispatch('elsewhere')).toThrow(RangeError);
      setImmediate(() => started.dispatch('/nowhere'));
    });
    const served = await serve([], { mount: (app) => app.use(router.routes()).use(router.allowedMethods()) });
    expect((await served.get('/wait/1')).status).toBe(404);
  });

  test('lets a dispatched handler defer again, by a result or a context', async () => {
    const served = await serve((ctx) => {
      if (ctx.path === '/third') {
        ctx.body = 'third';
        return undefined;
      }
      if (ctx.path === '/second') return DeferredResult.from(settle().then(() => 'second'));
      const started = AsyncContext.start(ctx);
      const isAgain = ctx.state.isAgain === true;
      ctx.state.isAgain = true;
      setImmediate(() => started.dispatch(isAgain ? `/${ctx.query.then?.toString()}` : undefined));
      return undefined;
    });
    expect((await served.get('/?then=second')).body).toBe('second');
    expect((await served.get('/?then=third')).body).toBe('third');
    expect([served.manager.held, served.manager.timers, served.appErrors]).toEqual([0, 0, []]);
  });

  test('lets a handler with a wrapped request start again', async () => {
    const served = await serve((ctx) => {
      if (ctx.path === '/last') {
        ctx.body = ctx.depth;
        return;
      }
      const wrapped: Context = Object.create(ctx);
      wrapped.depth = Number(ctx.depth ?? 0) + 1;
      const started = AsyncContext.start(ctx, { wrapped });
      setImmediate(() => started.dispatch(wrapped.depth < 3 ? undefined : '/last'));
    });
    expect((await served.get('/')).body).toBe('3');
  });

  test('notifies onError of the listeners if a dispatched handler throws, then onComplete', async () => {
    const fault = new Error('in the second handler');
    const received: unknown[] = [];
    const served = await serve((ctx) => {
      if (ctx.path === '/second') throw fault;
      const waiting = AsyncContext.start(ctx);
      waiting.addListener({
        onError: (_context, error) => {
          received.push(error);
          throw new Error('a listener fails too');
        },
        onComplete: () => received.push('complete'),
      });
      waiting.dispatch('/second');
    });
    expect((await served.get('/')).status).toBe(500);
    await until(() => received.length === 2);
    expect(received).toEqual([fault, 'complete']);
    expect(served.appErrors).toEqual([fault]);
    expect(served.faults).toMatchObject([{ where: 'onError' }]);
  });

  test('throws what a dispatched handler throws', async () => {
    const served = await serve((ctx) => {
      if (ctx.path === '/broken') ctx.throw(418, 'short and stout');
      const started = AsyncContext.start(ctx);
      setImmediate(() => started.dispatch('/broken'));
    });
    expect(await served.get('/')).toMatchObject({ status: 418, body: 'short and stout' });
  });

  test.each([['complete'], ['dispatch']])('lets only one of complete and dispatch win (%s first)', async (first) => {
    const log: string[] = [];
    const served = await serve((ctx) => {
      if (ctx.path === '/other') {
        ctx.body = 'dispatched';
        return;
      }
      ctx.body = 'completed';
      const started = AsyncContext.start(ctx);
      started.addListener({ onStartAsync: () => log.push('start'), onComplete: () => log.push('complete') });
      setImmediate(() => {
        const ends = [() => started.complete(), () => started.dispatch('/other')];
        const wins = (first === 'complete' ? ends : ends.toReversed()).map((end) => end());
        expect(wins).toEqual([true, false]);
      });
    });
    expect((await served.get('/')).body).toBe(`${first}${first === 'complete' ? 'd' : 'ed'}`);
    await until(() => log.includes('complete'));
    await settle();
    expect(log).toEqual(['start', 'complete']);
  });

  test('may be the value of a deferred result', async () => {
    const served = await serve((ctx) => {
      if (ctx.path === '/other') {
        ctx.body = 'other';
        return undefined;
      }
      return DeferredResult.from(Promise.resolve(new Dispatch('/other')));
    });
    expect((await served.get('/')).body).toBe('other');
  });

  test('throws if the app does not use the deferred middleware itself', async () => {
    const manager = new DeferredManager({ reportFault: () => {} });
    const inner = deferredMiddleware(manager);
    const served = await serve((ctx) =>
      inner(ctx, () => Promise.resolve(DeferredResult.from(Promise.resolve(new Dispatch())))),
    );
    expect((await served.get('/')).status).toBe(500);
    expect(served.appErrors).toEqual([expect.objectContaining({ code: 'deferral_unsupported' })]);
  });
});
