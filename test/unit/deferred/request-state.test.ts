import { afterEach, describe, expect, test } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { AsyncContext } from '../../../src/deferred/async-context.ts';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { heldOf } from '../../../src/deferred/held-response.ts';
import { forbidDeferral, unfitForDeferral } from '../../../src/deferred/unfit-for-deferral.ts';
import { FakeClock } from './fake-clock.ts';
import { closeServers, serve, until, type Served } from './serve.ts';

afterEach(closeServers);

describe("the request's state", () => {
  test('30. starting twice on one request is an error that names the state', async () => {
    const first = new DeferredResult();
    const served = await serve(() => first);
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    let isReleased = false;
    const second = new DeferredResult();
    second.onCompletion(() => (isReleased = true));
    expect(() => served.manager.admit(served.contexts[0]!, second)).toThrow(
      expect.objectContaining({ code: 'invalid_state', message: expect.stringContaining('held') }),
    );
    expect(isReleased).toBe(true);
    first.setResult('value');
    expect((await answer).body).toBe('value');
  });

  test('30. starting after completion is an error that names the state', async () => {
    const served = await serve(() => DeferredResult.from(Promise.resolve('value')));
    await served.get('/');
    const [ctx] = served.contexts;
    await until(() => heldOf(ctx!)?.state === 'completed');
    for (const start of [() => served.manager.admit(ctx!, new DeferredResult()), () => AsyncContext.start(ctx!)]) {
      expect(start).toThrow(
        expect.objectContaining({ code: 'invalid_state', message: expect.stringContaining('completed') }),
      );
    }
  });

  test('30. a result answers one request: a second is refused, and the first is none the worse', async () => {
    const shared = new DeferredResult();
    const served = await serve(() => shared);
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    expect((await served.get('/')).status).toBe(500);
    expect(served.appErrors).toEqual([expect.objectContaining({ code: 'invalid_state' })]);
    expect(served.manager.held).toBe(1);
    shared.setResult('value');
    expect((await answer).body).toBe('value');
    expect((await served.get('/')).status).toBe(500);
  });

  test('31. changing the timeout after the start is an error', async () => {
    const result = new DeferredResult({ timeoutMs: 1000 });
    result.timeoutMs = 2000;
    const served = await serve(() => result);
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    expect(() => {
      result.timeoutMs = 3000;
    }).toThrow(expect.objectContaining({ code: 'invalid_state', message: expect.stringContaining('held') }));
    expect([result.timeoutMs, heldOf(served.contexts[0]!)?.timeoutMs]).toEqual([2000, 2000]);
    result.setResult('value');
    await answer;
  });

  test.each([['above'], ['below']])(
    '32. a middleware that declares it cannot take part makes deferral fail loudly (%s the deferred middleware)',
    async (where) => {
      let isReleased = false;
      const unfit = unfitForDeferral((_ctx, next) => next(), 'it buffers the whole answer');
      const handler = (): DeferredResult => {
        const result = new DeferredResult();
        result.onCompletion(() => (isReleased = true));
        result.setResult('set already, which is no excuse');
        return result;
      };
      const served = await (where === 'above' ? serve(handler, { above: [unfit] }) : serve([unfit, handler]));
      expect((await served.get('/')).status).toBe(500);
      expect(served.appErrors).toEqual([
        expect.objectContaining({
          code: 'deferral_unsupported',
          message: expect.stringContaining('it buffers the whole answer'),
        }),
      ]);
      expect([served.manager.held, isReleased]).toEqual([0, true]);
    },
  );

  test('32. it leaves answers alone that are not deferred, and other requests', async () => {
    const served = await serve((ctx) => {
      if (ctx.path === '/unfit') forbidDeferral(ctx, 'for once');
      if (ctx.path === '/plain') {
        forbidDeferral(ctx, 'for once');
        ctx.body = 'plain';
        return undefined;
      }
      return DeferredResult.from(Promise.resolve('deferred'));
    });
    expect((await served.get('/unfit')).status).toBe(500);
    expect((await served.get('/plain')).body).toBe('plain');
    expect((await served.get('/fit')).body).toBe('deferred');
  });

  describe("33. the context of the request is there in every callback and interceptor, and the setter's never leaks in", () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = new Map<string, string | undefined>();
    const note = (where: string) => (): void => {
      seen.set(where, storage.getStore());
    };

    async function serveNoted(clock: FakeClock, results: DeferredResult[]): Promise<Served> {
      seen.clear();
      const served = await serve(
        () => {
          const result = new DeferredResult<unknown>({
            timeoutResult: async () => {
              await Promise.resolve();
              note('timeoutResult')();
              return 'fallback';
            },
          });
          result.onTimeout(note('onTimeout')).onError(note('onError')).onCompletion(note('onCompletion'));
          results.push(result);
          return result;
        },
        {
          clock,
          random: () => 0,
          above: [
            (_ctx, next) =>
              storage.run('request', async () => {
                await next();
                note('middleware above')();
              }),
          ],
        },
      );
      served.manager.register('notes', {
        beforeConcurrentHandling: note('beforeConcurrentHandling'),
        preProcess: note('preProcess'),
        postProcess: note('postProcess'),
        handleTimeout: note('handleTimeout'),
        handleError: note('handleError'),
        afterCompletion: note('afterCompletion'),
      });
      return served;
    }

    const common = [
      'beforeConcurrentHandling',
      'preProcess',
      'postProcess',
      'afterCompletion',
      'onCompletion',
      'middleware above',
    ];

    test.each<[string, string[], (served: Served, clock: FakeClock, result: DeferredResult, drop: () => void) => void]>(
      [
        ['a setter', [], (_served, _clock, result) => void result.setResult('value')],
        ['the timeout', ['onTimeout', 'timeoutResult'], (_served, clock) => clock.advance(25_100)],
        ['the client', ['onError', 'handleError'], (_served, _clock, _result, drop) => drop()],
        ['a shutdown', ['onTimeout', 'timeoutResult'], (served) => void served.manager.drain()],
      ],
    )('33. ended by %s', async (_by, more, end) => {
      const clock = new FakeClock();
      const results: DeferredResult[] = [];
      const served = await serveNoted(clock, results);
      const request = storage.run('client', () => served.open('/'));
      await until(() => served.manager.held === 1);
      storage.run('setter', () => {
        end(served, clock, results[0]!, () => request.destroy());
      });
      await until(() => seen.has('onCompletion') && seen.has('middleware above'));
      expect([...seen.keys()].toSorted()).toEqual([...common, ...more].toSorted());
      for (const [where, store] of seen) expect([where, store]).toEqual([where, 'request']);
    });

    test('33. a timer does not keep the context of the request that started it', async () => {
      const clock = new FakeClock();
      const stores: (string | undefined)[] = [];
      const setTimer = clock.setTimer.bind(clock);
      clock.setTimer = (callback, delayMs) => {
        stores.push(storage.getStore());
        return setTimer(callback, delayMs);
      };
      const results: DeferredResult[] = [];
      const served = await serveNoted(clock, results);
      const answer = served.get('/');
      await until(() => served.manager.held === 1);
      expect(stores).toEqual([undefined]);
      results[0]?.setResult('value');
      await answer;
    });
  });
});
