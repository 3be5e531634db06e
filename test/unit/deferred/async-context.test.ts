import { afterEach, describe, expect, test } from '@jest/globals';
import type { Context, Middleware } from 'koa';
import { AsyncContext, type AsyncListener } from '../../../src/deferred/async-context.ts';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { heldOf } from '../../../src/deferred/held-response.ts';
import { ResponseEntity } from '../../../src/deferred/response-entity.ts';
import { unfitForDeferral } from '../../../src/deferred/unfit-for-deferral.ts';
import { FakeClock } from './fake-clock.ts';
import { closeServers, serve, until } from './serve.ts';

afterEach(closeServers);

/** Records the events that it receives. */
function recorder(name: string, log: string[]): Required<AsyncListener> {
  return {
    onStartAsync: () => log.push(`${name}.start`),
    onTimeout: () => log.push(`${name}.timeout`),
    onError: (_context, error) => log.push(`${name}.error:${(error as { code?: string }).code}`),
    onComplete: () => log.push(`${name}.complete`),
  };
}

describe('AsyncContext', () => {
  test('starts, completes and reports isStarted, and `of` throws before the start', async () => {
    const seen: unknown[] = [];
    let started: AsyncContext | undefined;
    const served = await serve((ctx) => {
      seen.push(AsyncContext.isStarted(ctx));
      expect(() => AsyncContext.of(ctx)).toThrow(expect.objectContaining({ code: 'invalid_state' }));
      started = AsyncContext.start(ctx);
      seen.push(AsyncContext.isStarted(ctx), AsyncContext.of(ctx) === started, started.ctx === ctx);
    });
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    const [ctx] = served.contexts;
    ctx!.status = 203;
    ctx!.body = 'made in the meantime';
    expect(started?.isStarted).toBe(true);
    expect([started?.complete(), started?.complete()]).toEqual([true, false]);
    expect(await answer).toMatchObject({ status: 203, body: 'made in the meantime' });
    expect(seen).toEqual([false, true, true, true]);
    expect([started?.isStarted, AsyncContext.isStarted(ctx!), served.manager.held]).toEqual([false, false, 0]);
  });

  test('dispatches with the wrapped request that it was started with', async () => {
    const served = await serve((ctx) => {
      if (ctx.wrapper !== undefined) {
        ctx.body = { wrapper: ctx.wrapper, path: ctx.path };
        return;
      }
      const wrapped: Context = Object.create(ctx);
      wrapped.wrapper = 'mine';
      const started = AsyncContext.start(ctx, { wrapped });
      expect(started.ctx).toBe(wrapped);
      setImmediate(() => started.dispatch('/other'));
    });
    expect((await served.get('/own')).body).toBe('{"wrapper":"mine","path":"/other"}');
    expect(served.contexts[0]?.wrapper).toBeUndefined();
  });

  test('rejects a wrapped request of another response', async () => {
    const served = await serve((ctx) => {
      AsyncContext.start(ctx, { wrapped: served.contexts[0]! });
    });
    const answers = [served.get('/'), served.get('/')];
    await until(() => served.contexts.length === 2);
    await until(() => served.appErrors.length > 0);
    expect(served.appErrors).toEqual([expect.any(TypeError)]);
    AsyncContext.of(served.contexts[0]!).complete();
    await Promise.all(answers);
  });

  test('throws if it is started twice, or without a deferred middleware above', async () => {
    const served = await serve((ctx) => {
      const started = AsyncContext.start(ctx);
      expect(() => AsyncContext.start(ctx)).toThrow(
        expect.objectContaining({ code: 'invalid_state', message: expect.stringContaining('started') }),
      );
      ctx.body = 'once';
      started.complete();
    });
    expect((await served.get('/')).body).toBe('once');
    const bare = await serve([], {
      above: [
        (ctx) => {
          AsyncContext.start(ctx);
        },
      ],
    });
    expect((await bare.get('/')).status).toBe(500);
    expect(bare.appErrors).toEqual([expect.objectContaining({ code: 'deferral_unsupported' })]);
  });

  test('has a timeout of 30 s by default, none for 0 or less, and a fixed one after the handler returns', async () => {
    const clock = new FakeClock();
    const served = await serve(
      (ctx) => {
        const started = AsyncContext.start(ctx);
        if (ctx.query.timeout !== undefined) started.timeoutMs = Number(ctx.query.timeout);
      },
      { clock },
    );
    const byDefault = served.get('/');
    await until(() => served.manager.held === 1);
    const endless = [served.get('/?timeout=0'), served.get('/?timeout=-1')];
    await until(() => served.manager.held === 3);
    expect(served.contexts.map((ctx) => heldOf(ctx)?.timeoutMs)).toEqual([30_000, Infinity, Infinity]);
    const started = AsyncContext.of(served.contexts[0]!);
    expect(() => (started.timeoutMs = 1)).toThrow(expect.objectContaining({ code: 'invalid_state' }));
    clock.advance(29_999);
    expect(served.manager.held).toBe(3);
    clock.advance(51);
    expect((await byDefault).status).toBe(503);
    clock.advance(10_000_000);
    expect([served.manager.held, clock.timers]).toEqual([2, 0]);
    for (const ctx of served.contexts.slice(1)) AsyncContext.of(ctx).complete();
    await Promise.all(endless);
  });

  test('calls onStartAsync, onTimeout and onComplete of each listener once, in registration order', async () => {
    const clock = new FakeClock();
    const log: string[] = [];
    const served = await serve(
      (ctx) => {
        AsyncContext.start(ctx).addListener(recorder('a', log)).addListener(recorder('b', log));
        expect(log).toEqual([]);
      },
      { clock },
    );
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    expect(log).toEqual(['a.start', 'b.start']);
    clock.advance(30_100);
    await answer;
    await until(() => log.includes('b.complete'));
    expect(log.slice(2)).toEqual(['a.timeout', 'b.timeout', 'a.complete', 'b.complete']);
  });

  test.each([0, -1, 5, Infinity, 30_000])('reads a timeout of %d back as it was given', async (timeoutMs) => {
    const read: number[] = [];
    const served = await serve((ctx) => {
      const started = AsyncContext.start(ctx, { timeoutMs });
      read.push(started.timeoutMs);
      started.timeoutMs = 7;
      started.timeoutMs = timeoutMs;
      read.push(started.timeoutMs);
      started.complete();
    });
    await served.get('/');
    expect(read).toEqual([timeoutMs, timeoutMs]);
  });

  test.each(['above', 'below'])('throws in the handler if a middleware %s is unfit for deferral', async (where) => {
    const unfit = unfitForDeferral((_ctx, next) => next(), 'it buffers the whole answer');
    const handler: Middleware = (ctx) => {
      try {
        AsyncContext.start(ctx);
      } catch (error) {
        ctx.body = `not deferred: ${(error as Error).message}`;
      }
    };
    const served = await (where === 'above' ? serve(handler, { above: [unfit] }) : serve([unfit, handler]));
    expect(await served.get('/')).toMatchObject({
      status: 200,
      body: 'not deferred: This request cannot be deferred: it buffers the whole answer',
    });
  });

  test('calls onError of the listeners when the client goes away', async () => {
    const log: string[] = [];
    const served = await serve((ctx) => {
      AsyncContext.start(ctx).addListener(recorder('a', log)).addListener(recorder('b', log));
    });
    const request = served.open('/');
    await until(() => served.manager.held === 1);
    request.destroy();
    await until(() => log.includes('b.complete'));
    expect(log.slice(2)).toEqual([
      'a.error:client_disconnected',
      'b.error:client_disconnected',
      'a.complete',
      'b.complete',
    ]);
  });

  test('calls the other listeners if one throws', async () => {
    const clock = new FakeClock();
    const log: string[] = [];
    const throwing = (name: string) => (): never => {
      throw new Error(name);
    };
    const served = await serve(
      (ctx) => {
        AsyncContext.start(ctx)
          .addListener({
            onStartAsync: throwing('start'),
            onTimeout: throwing('timeout'),
            onComplete: throwing('complete'),
          })
          .addListener(recorder('b', log));
      },
      { clock },
    );
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    clock.advance(30_100);
    expect((await answer).status).toBe(503);
    await until(() => log.includes('b.complete'));
    expect(log).toEqual(['b.start', 'b.timeout', 'b.complete']);
    expect(served.faults.map(({ error, where }) => [(error as Error).message, where])).toEqual([
      ['start', 'onStartAsync'],
      ['timeout', 'onTimeout'],
      ['complete', 'onCompletion'],
    ]);
  });

  test('answers a timeout with an error and then completes, if no listener completes or dispatches', async () => {
    const clock = new FakeClock();
    const log: string[] = [];
    const served = await serve((ctx) => void AsyncContext.start(ctx).addListener(recorder('a', log)), { clock });
    served.manager.register('log', { postProcess: (_held, outcome) => void log.push(outcome.kind) });
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    clock.advance(30_100);
    expect((await answer).status).toBe(503);
    await until(() => log.includes('a.complete'));
    expect(log).toEqual(['a.start', 'a.timeout', 'error', 'a.complete']);
  });

  test.each([['complete'], ['dispatch']])('lets a listener answer the timeout with %s', async (how) => {
    const clock = new FakeClock();
    const served = await serve(
      (ctx) => {
        ctx.body = 'as it stands';
        if (ctx.path === '/other') {
          ctx.body = 'dispatched';
          return;
        }
        AsyncContext.start(ctx).addListener({
          onTimeout: (context) => (how === 'complete' ? context.complete() : context.dispatch('/other')),
        });
      },
      { clock },
    );
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    clock.advance(30_100);
    expect(await answer).toMatchObject({ status: 200, body: how === 'complete' ? 'as it stands' : 'dispatched' });
  });

  test('answers with its timeout value, and is held, counted and drained like other results', async () => {
    const placeholder = (): ResponseEntity =>
      new ResponseEntity({
        body: Buffer.from('GIF89a'),
        headers: { 'Content-Type': 'image/gif', 'X-Timed-Out': 'true' },
      });
    const endings: unknown[] = [];
    const served = await serve((ctx) => void AsyncContext.start(ctx, { timeoutResult: placeholder }));
    served.manager.register('endings', { afterCompletion: (held) => endings.push(held.ending) });
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    await served.manager.drain();
    expect([served.manager.held, endings]).toEqual([0, ['shutdown']]);
    expect(await answer).toMatchObject({
      status: 200,
      body: 'GIF89a',
      headers: { 'content-type': 'image/gif', 'x-timed-out': 'true', connection: 'close' },
    });
  });

  test('leaves nothing behind if the handler throws after the start', async () => {
    const log: string[] = [];
    let started: AsyncContext | undefined;
    const served = await serve((ctx) => {
      started = AsyncContext.start(ctx).addListener(recorder('a', log));
      ctx.throw(418, 'short and stout');
    });
    expect((await served.get('/')).status).toBe(418);
    expect([log, started?.complete(), served.manager.held]).toEqual([['a.complete'], false, 0]);
  });

  test('throws if a handler starts a context and returns a deferred result too', async () => {
    let released = 0;
    const served = await serve((ctx) => {
      AsyncContext.start(ctx).addListener({ onComplete: () => (released += 1) });
      return new DeferredResult().onCompletion(() => (released += 1));
    });
    expect((await served.get('/')).status).toBe(500);
    expect(served.appErrors).toEqual([expect.objectContaining({ code: 'invalid_state' })]);
    expect([released, served.manager.held]).toEqual([2, 0]);
  });

  test('completes without output from Koa if the handler wrote the bare response itself', async () => {
    const served = await serve((ctx) => {
      const started = AsyncContext.start(ctx);
      setImmediate(() => {
        ctx.res.statusCode = 200;
        ctx.res.write('by hand');
        started.complete();
      });
    });
    expect(await served.get('/')).toMatchObject({ status: 200, body: 'by hand' });
  });
});
