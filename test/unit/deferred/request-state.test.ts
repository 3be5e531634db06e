import { afterEach, describe, expect, test } from '@jest/globals';
import { AsyncContext } from '../../../src/deferred/async-context.ts';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { heldOf } from '../../../src/deferred/held-response.ts';
import { forbidDeferral, unfitForDeferral } from '../../../src/deferred/unfit-for-deferral.ts';
import { closeServers, serve, until } from './serve.ts';

afterEach(closeServers);

describe("the request's state", () => {
  test('throws with its name if a request starts twice', async () => {
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

  test('throws with its name if a request starts after completion', async () => {
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

  test('lets a result answer only one request, and the first is not affected', async () => {
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

  test('throws if the timeout changes after the start', async () => {
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
    'makes deferral fail with deferral_unsupported if a middleware is unfit for it (%s the deferred middleware)',
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

  test('does not affect other answers and requests', async () => {
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
});
