import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { DeferredResult, type ResultHandler } from '../../../src/deferred/deferred-result.ts';
import type { Outcome } from '../../../src/deferred/outcome.ts';
import { closeServers, serve, settle } from './serve.ts';

afterEach(closeServers);

class Recorder implements ResultHandler {
  readonly outcomes: Outcome[] = [];
  readonly faults: unknown[] = [];
  readonly #throws: unknown;

  constructor(throws?: unknown) {
    this.#throws = throws;
  }

  handleOutcome(outcome: Outcome): void {
    this.outcomes.push(outcome);
    if (this.#throws !== undefined) throw this.#throws;
  }

  handleFault(error: unknown): void {
    this.faults.push(error);
  }
}

const dropFault = (): void => {};

describe('the value', () => {
  test('is passed to a registered handler once, and the setter returns true', () => {
    const result = new DeferredResult<string>();
    const handler = new Recorder();
    result.setResultHandler(handler);
    expect(handler.outcomes).toEqual([]);
    expect(result.setResult('hello')).toBe(true);
    expect(handler.outcomes).toEqual([{ kind: 'value', value: 'hello' }]);
  });

  test('stays the first one: a second set returns false', () => {
    const result = new DeferredResult<string>();
    const handler = new Recorder();
    result.setResultHandler(handler);
    expect(result.setResult('first')).toBe(true);
    expect(result.setResult('second')).toBe(false);
    expect(result.setErrorResult(new Error('third'))).toBe(false);
    expect(handler.outcomes).toEqual([{ kind: 'value', value: 'first' }]);
  });

  test('makes isSetOrExpired true', () => {
    const result = new DeferredResult<string>();
    expect(result.isSetOrExpired()).toBe(false);
    result.setResult('hello');
    expect(result.isSetOrExpired()).toBe(true);
  });

  test.each([[null], [undefined], [0], ['']])(
    'is undefined until it is set, and may be null or undefined (%p)',
    (value) => {
      const result = new DeferredResult<unknown>();
      expect([result.hasResult(), result.getResult()]).toEqual([false, undefined]);
      expect(result.setResult(value)).toBe(true);
      expect([result.hasResult(), result.getResult()]).toEqual([true, value]);
      expect(result.setResult('late')).toBe(false);
    },
  );

  test('is kept until a handler is registered, which receives it at once', () => {
    const result = new DeferredResult<string>();
    const handler = new Recorder();
    expect(result.setResult('early')).toBe(true);
    result.setResultHandler(handler);
    expect(handler.outcomes).toEqual([{ kind: 'value', value: 'early' }]);
  });

  test.each([['before'], ['after']])(
    'is reported to a handler whose error never reaches the setter (handler set %s the value)',
    (when) => {
      const result = new DeferredResult<string>();
      const handler = new Recorder('broken');
      if (when === 'after') result.setResultHandler(handler);
      expect(result.setResult('hello')).toBe(true);
      if (when === 'before') result.setResultHandler(handler);
      expect(handler.faults).toEqual(['broken']);
    },
  );

  test.each([['before'], ['after']])(
    'turns an error while the response is made into an error response (value set %s the hold)',
    async (when) => {
      const result = new DeferredResult<string>();
      const served = await serve(() => result);
      served.manager.register('broken', {
        postProcess() {
          throw new Error('broken');
        },
      });
      if (when === 'before') expect(result.setResult('hello')).toBe(true);
      else setImmediate(() => expect(result.setResult('hello')).toBe(true));
      const answer = await served.get('/');
      expect(answer.status).toBe(500);
      expect(served.appErrors).toEqual([new Error('broken')]);
    },
  );

  test('cannot be set after completion, and a later handler is ignored', () => {
    const result = new DeferredResult<string>();
    result.complete(dropFault);
    expect([result.isSetOrExpired(), result.hasResult()]).toEqual([true, false]);
    expect(result.setResult('late')).toBe(false);
    expect(result.setErrorResult('late')).toBe(false);
    const handler = new Recorder();
    result.setResultHandler(handler);
    expect(handler.outcomes).toEqual([]);
  });

  test('keeps nothing of the request after completion, and runs a late onCompletion at once', () => {
    const result = new DeferredResult<string>();
    let runs = 0;
    result.setResult('value');
    result.complete(dropFault);
    result.onCompletion(() => (runs += 1));
    expect(runs).toBe(1);
    const handler = new Recorder();
    result.setResultHandler(handler);
    expect(handler.outcomes).toEqual([]);
  });

  test('may be set only once by setErrorResult too', () => {
    const result = new DeferredResult<string>();
    const handler = new Recorder();
    result.setResultHandler(handler);
    expect(result.setErrorResult('first')).toBe(true);
    expect(result.setErrorResult('second')).toBe(false);
    expect(result.setResult('third')).toBe(false);
    expect(handler.outcomes).toEqual([{ kind: 'error', error: 'first' }]);
    expect(result.getResult()).toBe('first');
  });

  test('counts as thrown if it is an Error, and as an error answer if it is a plain object', async () => {
    const caught: unknown[] = [];
    const teapot = Object.assign(new Error('short and stout'), { status: 418, expose: true });
    const served = await serve(
      (ctx) => {
        const result = new DeferredResult();
        setImmediate(() => result.setErrorResult(ctx.path === '/error' ? teapot : { reason: 'plain' }));
        return result;
      },
      {
        above: [
          async (_ctx, next) => {
            try {
              await next();
            } catch (error) {
              caught.push(error);
              throw error;
            }
          },
        ],
      },
    );
    expect(await served.get('/error')).toMatchObject({ status: 418, body: 'short and stout' });
    expect(await served.get('/object')).toMatchObject({ status: 500, body: '{"reason":"plain"}' });
    expect(caught).toEqual([teapot]);
  });

  test('comes from a promise, as its value or its rejection', async () => {
    const value = DeferredResult.from(Promise.resolve('value'));
    const failure = DeferredResult.from(Promise.reject(new Error('failure')));
    const handler = new Recorder();
    failure.setResultHandler(handler);
    expect(value.hasResult()).toBe(false);
    await settle();
    expect(value.getResult()).toBe('value');
    expect(handler.outcomes).toEqual([{ kind: 'error', error: new Error('failure') }]);
  });

  test('is destroyed if it is a stream of a promise that resolves too late', async () => {
    const late = new Readable({ read() {} });
    const result = DeferredResult.from<unknown>(Promise.resolve(late));
    result.setResult('sooner');
    await settle();
    expect(late.destroyed).toBe(true);
  });

  test('comes from exactly one setter, in any order of calls', () => {
    const steps = fc.constantFrom('setResult', 'setErrorResult', 'setResultHandler', 'complete');
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 12 }), (order) => {
        const result = new DeferredResult<number>();
        const handler = new Recorder();
        const wins: number[] = [];
        order.forEach((step, index) => {
          if (step === 'setResult' && result.setResult(index)) wins.push(index);
          if (step === 'setErrorResult' && result.setErrorResult(index)) wins.push(index);
          if (step === 'setResultHandler' && result.isFree()) result.setResultHandler(handler);
          if (step === 'complete') result.complete(dropFault);
        });
        expect(wins.length).toBeLessThanOrEqual(1);
        expect(result.getResult()).toBe(wins[0]);
        const settled = handler.outcomes.map((outcome) => (outcome.kind === 'value' ? outcome.value : outcome.error));
        if (settled.length > 0) expect(settled).toEqual(wins);
      }),
    );
  });

  test('rejects a timeout that is negative or not a number', () => {
    for (const timeoutMs of [-1, NaN, -Infinity]) {
      expect(() => new DeferredResult({ timeoutMs })).toThrow(RangeError);
    }
  });
});
