import { afterEach, describe, expect, test } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import type { DeferredInterceptor } from '../../../src/deferred/interceptor.ts';
import { Registry } from '../../../src/deferred/registry.ts';
import { FakeClock } from './fake-clock.ts';
import { closeServers, serve, until, type Served } from './serve.ts';

afterEach(closeServers);

const ENDINGS: Record<string, (result: DeferredResult, served: Served, clock: FakeClock, drop: () => void) => void> = {
  value: (result) => void result.setResult('value'),
  error: (result) => void result.setErrorResult(new Error('error')),
  timeout: (_result, _served, clock) => {
    clock.advance(30_000);
  },
  disconnect: (_result, _served, _clock, drop) => {
    drop();
  },
  shutdown: (_result, served) => void served.manager.drain(),
};

const failOnFault = (error: unknown): never => {
  throw error;
};

/** Makes an interceptor that records every hook that runs. */
function recorder(name: string, log: string[], broken: readonly string[] = []): DeferredInterceptor {
  const note = (hook: string): void => {
    log.push(`${name}.${hook}`);
    if (broken.includes(hook)) throw new Error(`${name}.${hook}`);
  };
  return {
    preProcess: () => {
      note('pre');
    },
    afterCompletion: (held) => {
      note(`after:${held.ending}`);
    },
  };
}

describe('completion', () => {
  test.each(Object.keys(ENDINGS))(
    'runs onCompletion and afterCompletion once for every ending, in reverse order of the interceptors (%s)',
    async (ending) => {
      const clock = new FakeClock();
      const log: string[] = [];
      const unusable: boolean[] = [];
      const result = new DeferredResult();
      result.onCompletion(() => log.push('first callback'));
      result.onCompletion(() => log.push('second callback'));
      const served = await serve(() => result, { clock });
      served.manager.register('usable', { afterCompletion: (held) => unusable.push(held.isUnusable) });
      served.manager.register('a', recorder('a', log));
      served.manager.register('b', recorder('b', log));
      const request = served.open('/');
      await until(() => served.manager.held === 1);
      ENDINGS[ending]?.(result, served, clock, () => request.destroy());
      await until(() => log.length >= 6);
      expect(log).toEqual([
        'a.pre',
        'b.pre',
        `b.after:${ending}`,
        `a.after:${ending}`,
        'first callback',
        'second callback',
      ]);
      expect(unusable).toEqual([ending === 'disconnect']);
    },
  );

  test('calls afterCompletion only if preProcess has run', async () => {
    const log: string[] = [];
    const result = new DeferredResult();
    result.onCompletion(() => log.push('callback'));
    const served = await serve(() => result);
    served.manager.register('a', recorder('a', log));
    served.manager.register('b', recorder('b', log, ['pre']));
    served.manager.register('c', recorder('c', log));
    expect((await served.get('/')).status).toBe(500);
    await until(() => log.includes('callback'));
    expect(log).toEqual(['a.pre', 'b.pre', 'a.after:error', 'callback']);
  });

  test('reports an error of one callback and runs the others', async () => {
    const log: string[] = [];
    const result = new DeferredResult();
    result.onCompletion(() => {
      throw new Error('first callback');
    });
    result.onCompletion(() => log.push('second callback'));
    const served = await serve(() => result);
    served.manager.register('a', recorder('a', log));
    served.manager.register('b', recorder('b', log, ['after:value']));
    result.setResult('value');
    expect((await served.get('/')).body).toBe('value');
    await until(() => log.includes('second callback'));
    expect(log).toEqual(['a.pre', 'b.pre', 'b.after:value', 'a.after:value', 'second callback']);
    expect(served.faults).toEqual([
      { error: new Error('b.after:value'), where: 'afterCompletion' },
      { error: new Error('first callback'), where: 'onCompletion' },
    ]);
  });

  test.each(Object.keys(ENDINGS))(
    'leaves registry, timers and listeners empty after the completion (%s)',
    async (ending) => {
      const clock = new FakeClock();
      const registry = new Registry<unknown>({ onFault: failOnFault });
      let isOver = false;
      const result = new DeferredResult();
      result.onCompletion(registry.register(['x', 'y'], () => {}));
      result.onCompletion(() => (isOver = true));
      const served = await serve(() => result, { clock, maxHeldPerAddress: 5 });
      const request = served.open('/');
      await until(() => served.manager.held === 1);
      const { res } = served.contexts[0]!;
      expect([registry.size, clock.timers, res.listenerCount('close')]).toEqual([1, 1, 1]);
      ENDINGS[ending]?.(result, served, clock, () => request.destroy());
      expect(ending === 'disconnect' || served.manager.held === 0).toBe(true);
      await until(() => isOver);
      await served.manager.drain();
      expect([registry.size, registry.has('x'), served.manager.held, served.manager.timers]).toEqual([0, false, 0, 0]);
      expect([clock.timers, res.listenerCount('close')]).toEqual([0, 0]);
    },
  );

  test('keeps no request in memory through its result', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: unknown = runInNewContext('gc');
    const result = new DeferredResult();
    const served = await serve(() => result);
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    const context = new WeakRef(served.contexts[0]!);
    served.contexts.length = 0;
    let isOver = false;
    result.onCompletion(() => (isOver = true));
    result.setResult('value');
    await answer;
    await until(() => isOver);
    await until(() => {
      if (typeof collectGarbage === 'function') collectGarbage();
      return context.deref() === undefined;
    });
    expect(result.getResult()).toBe('value');
  });
});
