import { afterEach, describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { DeferredError } from '../../../src/deferred/deferred-error.ts';
import { DeferredResult, type DeferredResultOptions } from '../../../src/deferred/deferred-result.ts';
import type { Held } from '../../../src/deferred/interceptor.ts';
import type { Ending } from '../../../src/deferred/outcome.ts';
import { FakeClock } from './fake-clock.ts';
import { closeServers, serve, settle, until, type Answer, type ServeOptions, type Served } from './serve.ts';

afterEach(closeServers);

interface Held1 {
  served: Served;
  clock: FakeClock;
  result: DeferredResult;
  /** The answer to the request. */
  answer: Promise<Answer>;
  endings: (Ending | undefined)[];
}

/** Sends one request, which `result` holds, on a clock that stands still. */
async function holdOne(
  options: DeferredResultOptions<unknown>,
  serveOptions: ServeOptions = {},
  prepare: (result: DeferredResult, served: Served) => void = () => {},
): Promise<Held1> {
  const clock = new FakeClock();
  const result = new DeferredResult(options);
  const served = await serve(() => result, { clock, random: () => 0, ...serveOptions });
  const endings: (Ending | undefined)[] = [];
  served.manager.register('endings', { afterCompletion: (held) => endings.push(held.ending) });
  prepare(result, served);
  const answer = served.get('/');
  await until(() => served.manager.held === 1);
  return { served, clock, result, answer, endings };
}

describe('timeout', () => {
  test('runs onTimeout and answers with the timeoutResult, and a later set returns false', async () => {
    const order: string[] = [];
    const { clock, result, answer, served, endings } = await holdOne({
      timeoutMs: 1000,
      timeoutResult: () => {
        order.push('fallback');
        return 'fallback';
      },
    });
    result.onTimeout(() => order.push('onTimeout'));
    clock.advance(1100);
    expect(result.setResult('late')).toBe(false);
    expect(await answer).toMatchObject({ status: 200, body: 'fallback' });
    expect(order).toEqual(['onTimeout', 'fallback']);
    await until(() => endings.length > 0);
    expect(endings).toEqual(['timeout']);
    expect([served.manager.held, served.manager.timers, clock.timers]).toEqual([0, 0, 0]);
  });

  test('answers with a plain timeoutResult as it is', async () => {
    const { clock, answer } = await holdOne({ timeoutMs: 1000, timeoutResult: { still: 'waiting' } });
    clock.advance(1100);
    expect(await answer).toMatchObject({ status: 200, body: '{"still":"waiting"}' });
  });

  test('calls a supplier once, which may be async', async () => {
    let calls = 0;
    const { clock, answer, endings, served } = await holdOne({
      timeoutMs: 1000,
      timeoutResult: async () => {
        calls += 1;
        await settle();
        return 'made late';
      },
    });
    expect(calls).toBe(0);
    clock.advance(1100);
    expect(calls).toBe(1);
    expect(await answer).toMatchObject({ status: 200, body: 'made late' });
    await until(() => endings.length > 0);
    expect([calls, endings, served.manager.held, clock.timers]).toEqual([1, ['timeout'], 0, 0]);
  });

  test("prefers a result that is set while the supplier runs, and frees the supplier's value", async () => {
    const late = new Readable({ read() {} });
    let finish = (_value: unknown): void => {};
    const { clock, result, answer, endings } = await holdOne({
      timeoutMs: 1000,
      timeoutResult: () => new Promise((resolve) => (finish = resolve)),
    });
    clock.advance(1100);
    expect(result.isSetOrExpired()).toBe(false);
    expect(result.setResult('real')).toBe(true);
    finish(late);
    expect(await answer).toMatchObject({ status: 200, body: 'real' });
    await until(() => endings.length > 0 && late.destroyed);
    expect(endings).toEqual(['value']);
  });

  test.each([['throws'], ['rejects']])('answers with the error of a supplier that %s', async (how) => {
    const gone = Object.assign(new Error('gone'), { status: 410, expose: true });
    const { clock, answer } = await holdOne({
      timeoutMs: 1000,
      timeoutResult: () => {
        if (how === 'throws') throw gone;
        return Promise.reject(gone);
      },
    });
    clock.advance(1100);
    expect(await answer).toMatchObject({ status: 410, body: 'gone' });
  });

  test('answers with the default error if a supplier never ends', async () => {
    const { clock, answer, endings } = await holdOne(
      { timeoutMs: 1000, timeoutResult: () => new Promise(() => {}) },
      { timeoutValueLimitMs: 300 },
    );
    clock.advance(1100);
    clock.advance(320);
    expect((await answer).status).toBe(503);
    await until(() => endings.length > 0);
    expect(endings).toEqual(['timeout']);
  });

  test('prefers a result that onTimeout sets', async () => {
    let isAsked = false;
    const { clock, result, answer, endings } = await holdOne({
      timeoutMs: 1000,
      timeoutResult: () => (isAsked = true),
    });
    result.onTimeout(() => result.setResult('from the callback'));
    clock.advance(1100);
    expect(await answer).toMatchObject({ status: 200, body: 'from the callback' });
    expect(isAsked).toBe(false);
    await until(() => endings.length > 0);
    expect(endings).toEqual(['timeout']);
  });

  test('reports an error of onTimeout and still answers with the fallback', async () => {
    const { clock, result, answer, served } = await holdOne({ timeoutMs: 1000, timeoutResult: 'fallback' });
    result.onTimeout(() => {
      throw new Error('broken');
    });
    result.onTimeout(() => Promise.reject(new Error('broken later')));
    clock.advance(1100);
    expect((await answer).body).toBe('fallback');
    expect(served.faults).toEqual([
      { error: new Error('broken'), where: 'onTimeout' },
      { error: new Error('broken later'), where: 'onTimeout' },
    ]);
  });

  test('answers with the default error, 503 with Retry-After, without fallback and callback', async () => {
    const { clock, answer, result } = await holdOne({ timeoutMs: 1000 }, { retryAfterMs: 2500, random: () => 0.5 });
    clock.advance(1100);
    const { status, headers } = await answer;
    expect([status, headers['retry-after']]).toEqual([503, '4']);
    expect(result.getResult()).toMatchObject({ code: 'deferred_timeout', status: 503, retryAfterMs: 3750 });
  });

  test('answers with a value that an interceptor sets', async () => {
    const { clock, answer } = await holdOne({ timeoutMs: 1000 }, {}, (_result, { manager }) => {
      manager.register('value', { handleTimeout: (held) => void held.result.setResult('from the interceptor') });
    });
    clock.advance(1100);
    expect(await answer).toMatchObject({ status: 200, body: 'from the interceptor' });
  });

  test('answers with an error that an interceptor sets or throws', async () => {
    const error = Object.assign(new Error('no'), { status: 409, expose: true });
    const set = await holdOne({ timeoutMs: 1000 }, {}, (_result, { manager }) => {
      manager.register('error', { handleTimeout: (held) => void held.result.setErrorResult(error) });
    });
    set.clock.advance(1100);
    expect(await set.answer).toMatchObject({ status: 409, body: 'no' });
    const thrown = await holdOne({ timeoutMs: 1000 }, {}, (_result, { manager }) => {
      manager.register('throws', {
        handleTimeout() {
          throw error;
        },
      });
    });
    thrown.clock.advance(1100);
    expect(await thrown.answer).toMatchObject({ status: 409, body: 'no' });
    expect(thrown.served.faults).toEqual([]);
  });

  test("runs the result's callbacks, then interceptors in order, then the default", async () => {
    const order: string[] = [];
    const { clock, answer } = await holdOne({ timeoutMs: 1000 }, {}, (result, { manager }) => {
      manager.register('first', { handleTimeout: () => void order.push('first') });
      manager.register('second', { handleTimeout: () => void order.push('second') });
      result.onTimeout(() => order.push('callback'));
      result.onTimeout(() => order.push('second callback'));
    });
    clock.advance(1100);
    expect((await answer).status).toBe(503);
    expect(order).toEqual(['callback', 'second callback', 'first', 'second']);
  });

  test.each([
    ['fallback', []],
    ['first', ['first']],
    ['second', ['first', 'second']],
  ])('stops as soon as there is a result (from %s)', async (from, expected) => {
    const order: string[] = [];
    const visit = (name: string) => (held: Held) => {
      order.push(name);
      if (name === from) held.result.setResult(name);
    };
    const options = from === 'fallback' ? { timeoutMs: 1000, timeoutResult: 'fallback' } : { timeoutMs: 1000 };
    const { clock, answer } = await holdOne(options, {}, (_result, { manager }) => {
      for (const name of ['first', 'second', 'third']) manager.register(name, { handleTimeout: visit(name) });
    });
    clock.advance(1100);
    expect((await answer).body).toBe(from);
    expect(order).toEqual(expected);
  });

  test('is measured from the return of the handler, not from the request', async () => {
    const clock = new FakeClock();
    let startedAtMs = 0;
    const served = await serve(
      () => {
        const result = new DeferredResult({ timeoutMs: 1000, timeoutResult: () => clock.now() });
        clock.advance(5000);
        startedAtMs = clock.now();
        return result;
      },
      { clock },
    );
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    clock.advance(999);
    expect(served.manager.held).toBe(1);
    clock.advance(60);
    const firedAtMs = Number((await answer).body);
    expect(firedAtMs).toBeGreaterThanOrEqual(startedAtMs + 1000);
    expect(firedAtMs).toBeLessThanOrEqual(startedAtMs + 1050);
  });

  test("keeps the result's own timeout as it is, and shortens the default one by a random part", async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    const served = await serve(
      (ctx) => {
        const result = new DeferredResult(ctx.path === '/own' ? { timeoutMs: 700 } : {});
        result.onTimeout(() => result.setResult('timeout'));
        return result;
      },
      { clock, defaultTimeoutMs: 1000, jitterFraction: 0.05, random: () => 0.999 },
    );
    served.manager.register('seen', { preProcess: (held) => void seen.push(held.timeoutMs) });
    const own = served.get('/own');
    await until(() => served.manager.held === 1);
    const byDefault = served.get('/default');
    await until(() => served.manager.held === 2);
    expect(seen).toEqual([700, 950]);
    clock.advance(720);
    expect(served.manager.held).toBe(1);
    clock.advance(250);
    expect(served.manager.held).toBe(0);
    expect((await Promise.all([own, byDefault])).map(({ body }) => body)).toEqual(['timeout', 'timeout']);
  });

  test('answers at once with the timeout value if the time is 0, and holds nothing', async () => {
    const clock = new FakeClock();
    const served = await serve(() => new DeferredResult({ timeoutMs: 0, timeoutResult: 'at once' }), {
      clock,
      maxHeld: 0,
    });
    expect(await served.get('/')).toMatchObject({ status: 200, body: 'at once' });
    expect([served.manager.held, clock.timers]).toEqual([0, 0]);
  });

  test('answers with the value that was set, even if the time is 0', async () => {
    const result = new DeferredResult({ timeoutMs: 0, timeoutResult: 'fallback' });
    result.setResult('value');
    const served = await serve(() => result);
    expect((await served.get('/')).body).toBe('value');
  });

  test("waits for an interceptor's promised value, and continues after it if it takes too long", async () => {
    const order: string[] = [];
    const { clock, answer } = await holdOne(
      { timeoutMs: 1000 },
      { timeoutValueLimitMs: 300 },
      (_result, { manager }) => {
        manager.register('slow', { handleTimeout: (held) => held.awaitTimeoutValue(new Promise(() => {})) });
        manager.register('next', { handleTimeout: () => void order.push('next') });
      },
    );
    clock.advance(1100);
    expect(order).toEqual([]);
    clock.advance(350);
    expect(order).toEqual(['next']);
    expect((await answer).status).toBe(503);
  });

  test('has a default error with a code that other modules can map', () => {
    const error = new DeferredError('deferred_timeout', 'no result', { retryAfterMs: 2001 });
    expect([error.status, error.code, error.headers]).toEqual([503, 'deferred_timeout', { 'Retry-After': '3' }]);
  });
});
