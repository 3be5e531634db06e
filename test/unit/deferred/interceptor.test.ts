import { afterEach, describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import type { DeferredInterceptor } from '../../../src/deferred/interceptor.ts';
import { closeServers, serve, until } from './serve.ts';

afterEach(closeServers);

type Hook = 'before' | 'pre' | 'post' | 'after';

/** Makes an interceptor that records its hooks, and throws in the `broken` one. */
function recorder(name: string, log: string[], broken?: Hook): DeferredInterceptor {
  const note = (hook: Hook): void => {
    log.push(`${name}.${hook}`);
    if (hook === broken) throw Object.assign(new Error(`${name}.${hook}`), { status: 409, expose: true });
  };
  return {
    beforeConcurrentHandling: () => {
      note('before');
    },
    preProcess: () => {
      note('pre');
    },
    postProcess: () => {
      note('post');
    },
    afterCompletion: () => {
      note('after');
    },
  };
}

describe('interceptors', () => {
  test.each([['before'], ['after']])(
    'run their hooks in order, and postProcess and afterCompletion in reverse (value set %s the hold)',
    async (when) => {
      const log: string[] = [];
      const result = new DeferredResult();
      const served = await serve(() => result);
      for (const name of ['a', 'b']) served.manager.register(name, recorder(name, log));
      if (when === 'before') result.setResult('value');
      const answer = served.get('/');
      if (when === 'after') {
        await until(() => served.manager.held === 1);
        expect(log).toEqual(['a.before', 'b.before', 'a.pre', 'b.pre']);
        result.setResult('value');
      }
      expect((await answer).body).toBe('value');
      await until(() => log.length === 8);
      expect(log).toEqual(['a.before', 'b.before', 'a.pre', 'b.pre', 'b.post', 'a.post', 'b.after', 'a.after']);
    },
  );

  test('pass an error of beforeConcurrentHandling to the caller, and nothing is held', async () => {
    const log: string[] = [];
    let isReleased = false;
    const result = new DeferredResult();
    result.onCompletion(() => (isReleased = true));
    const caught: unknown[] = [];
    const served = await serve(() => result, {
      maxHeldPerAddress: 1,
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
    });
    served.manager.register('a', recorder('a', log));
    served.manager.register('b', recorder('b', log, 'before'));
    expect(await served.get('/')).toMatchObject({ status: 409, body: 'b.before' });
    expect(caught).toHaveLength(1);
    expect(log).toEqual(['a.before', 'b.before']);
    expect([served.manager.held, served.manager.timers, isReleased, result.setResult('late')]).toEqual([
      0,
      0,
      true,
      false,
    ]);
  });

  test.each([[false], [true]])(
    'make the error of a preProcess the result, so that a later set returns false (set before: %s)',
    async (isSetBefore) => {
      const log: string[] = [];
      const stream = new Readable({ read() {} });
      const result = new DeferredResult<unknown>();
      if (isSetBefore) result.setResult(stream);
      const served = await serve(() => result);
      served.manager.register('a', recorder('a', log));
      served.manager.register('b', recorder('b', log, 'pre'));
      expect(await served.get('/')).toMatchObject({ status: 409, body: 'b.pre' });
      expect(result.setResult('late')).toBe(false);
      await until(() => log.includes('a.after'));
      expect(log).toEqual(['a.before', 'b.before', 'a.pre', 'b.pre', 'a.post', 'a.after']);
      expect([served.manager.held, stream.destroyed]).toEqual([0, isSetBefore]);
    },
  );

  test('replace the result with an error of postProcess, and run the others', async () => {
    const log: string[] = [];
    const stream = new Readable({ read() {} });
    const result = new DeferredResult<unknown>();
    result.setResult(stream);
    const served = await serve(() => result);
    served.manager.register('a', recorder('a', log));
    served.manager.register('b', recorder('b', log, 'post'));
    served.manager.register('c', recorder('c', log));
    expect(await served.get('/')).toMatchObject({ status: 409, body: 'b.post' });
    await until(() => log.includes('a.after'));
    expect(log.filter((entry) => entry.endsWith('post'))).toEqual(['c.post', 'b.post', 'a.post']);
    expect(stream.destroyed).toBe(true);
  });

  test('report an error that postProcess replaces', async () => {
    const result = new DeferredResult();
    result.setErrorResult(new Error('first'));
    const served = await serve(() => result);
    served.manager.register('b', recorder('b', [], 'post'));
    expect(await served.get('/')).toMatchObject({ status: 409, body: 'b.post' });
    expect(served.faults).toEqual([{ error: new Error('first'), where: 'postProcess' }]);
  });

  test('replace an interceptor with the same key, in its place', async () => {
    const log: string[] = [];
    const result = new DeferredResult();
    result.setResult('value');
    const served = await serve(() => result);
    served.manager.register('a', recorder('old a', log));
    served.manager.register('b', recorder('b', log));
    served.manager.register('a', recorder('new a', log));
    await served.get('/');
    expect(log.slice(0, 2)).toEqual(['new a.before', 'b.before']);
  });

  test('use the list that the response started with', async () => {
    const log: string[] = [];
    const result = new DeferredResult();
    const served = await serve(() => result);
    served.manager.register('a', recorder('a', log));
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    served.manager.register('a', recorder('other', log));
    served.manager.register('b', recorder('late', log));
    result.setResult('value');
    await answer;
    await until(() => log.includes('a.after'));
    expect(log).toEqual(['a.before', 'a.pre', 'a.post', 'a.after']);
  });
});
