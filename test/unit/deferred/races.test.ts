import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DeferredManager } from '../../../src/deferred/deferred-manager.ts';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import type { Ending } from '../../../src/deferred/outcome.ts';
import { deferredMiddleware } from '../../../src/deferred/middleware.ts';
import { Registry } from '../../../src/deferred/registry.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeExchange } from './fake-exchange.ts';
import { closeServers, serve, settle, until } from './serve.ts';

afterEach(closeServers);

type Timeout = 'none' | 'value' | 'supplier' | 'async' | 'never';

/** A manager, a registry and some held exchanges. It counts every callback. */
class Arena {
  readonly clock = new FakeClock();
  readonly faults: unknown[] = [];
  readonly registry = new Registry<unknown>({ onFault: (error) => this.faults.push(error) });
  readonly manager = new DeferredManager({
    clock: this.clock,
    random: () => 0,
    maxHeldPerAddress: 100,
    addressOf: () => 'one',
    reportFault: (error) => this.faults.push(error),
  });
  readonly #middleware = deferredMiddleware(this.manager);
  drained: Promise<void> | undefined;

  constructor() {
    this.manager.register('counts', {
      preProcess: (held) => (held.ctx.state.pre += 1),
      postProcess: (held) => (held.ctx.state.post += 1),
      afterCompletion: (held) => {
        held.ctx.state.after += 1;
        held.ctx.state.endings.push(held.ending);
      },
    });
  }

  hold(timeout: Timeout): Held {
    return new Held(this, this.#middleware, timeout);
  }

  drain(): void {
    this.drained = this.manager.drain();
  }

  /** Ends everything that has not ended yet. */
  async finish(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      this.clock.advance(40_000);
      await settle();
    }
    await this.manager.drain();
  }

  left(): unknown {
    const { manager, registry, clock } = this;
    return { held: manager.held, timers: manager.timers, waiters: registry.size, clock: clock.timers };
  }
}

const NOTHING_LEFT = { held: 0, timers: 0, waiters: 0, clock: 0 };

class Held {
  readonly exchange = new FakeExchange();
  readonly result: DeferredResult;
  readonly wins: Ending[] = [];
  completions = 0;
  #isOpen = true;

  constructor(arena: Arena, middleware: ReturnType<typeof deferredMiddleware>, timeout: Timeout) {
    this.result = new DeferredResult(timeoutOptions(timeout));
    this.result.onCompletion(arena.registry.register(['key'], (event) => this.set(event ?? 'value')));
    this.result.onCompletion(() => (this.completions += 1));
    this.exchange.ctx.state = { pre: 0, post: 0, after: 0, endings: [] };
    this.exchange.run(middleware, () => this.result);
  }

  get state(): { pre: number; post: number; after: number; endings: Ending[] } {
    return this.exchange.ctx.state as { pre: number; post: number; after: number; endings: Ending[] };
  }

  set(value: unknown): void {
    if (this.result.setResult(value)) this.wins.push('value');
  }

  fail(): void {
    if (this.result.setErrorResult(new Error('failed'))) this.wins.push('error');
  }

  drop(): void {
    this.#isOpen = false;
    this.exchange.drop();
  }

  /** Checks the rules for an exchange that has ended. */
  check(): void {
    expect([this.completions, this.exchange.answers, this.result.isSetOrExpired()]).toEqual([1, 1, true]);
    expect(this.wins.length).toBeLessThanOrEqual(1);
    const { pre, post, after, endings } = this.state;
    // A request during shutdown was rejected before any hook.
    expect([pre, post, after]).toEqual(pre === 0 ? [0, 0, 0] : [1, 1, 1]);
    if (pre === 0) return;
    const [ending] = endings;
    expect(ending).toBeDefined();
    if (this.wins.length > 0) expect(ending).toBe(this.wins[0]);
    else expect(['timeout', 'disconnect', 'shutdown']).toContain(ending);
    expect(this.exchange.ctx.res.listenerCount('close')).toBe(0);
    if (ending === 'disconnect') expect(this.exchange.written).toBe('');
    if (this.#isOpen && ending === 'value') expect(this.exchange.written).toContain('"value"');
  }
}

function timeoutOptions(timeout: Timeout): ConstructorParameters<typeof DeferredResult>[0] {
  const timeoutMs = 1000;
  if (timeout === 'none') return { timeoutMs };
  if (timeout === 'value') return { timeoutMs, timeoutResult: 'fallback' };
  if (timeout === 'supplier') return { timeoutMs, timeoutResult: () => 'fallback' };
  if (timeout === 'async') return { timeoutMs, timeoutResult: () => settle().then(() => 'fallback') };
  return { timeoutMs, timeoutResult: () => new Promise(() => {}) };
}

const MOVES: Record<Ending, (arena: Arena, held: Held) => void> = {
  value: (_arena, held) => held.set('value'),
  error: (_arena, held) => held.fail(),
  timeout: (arena) => arena.clock.advance(1100),
  disconnect: (_arena, held) => held.drop(),
  shutdown: (arena) => arena.drain(),
};
const ENDINGS = Object.keys(MOVES) as Ending[];
const orders = ENDINGS.flatMap((first) => ENDINGS.map((second) => [first, second] as const)).filter(
  ([first, second]) => first !== second,
);

describe('races', () => {
  test.each(orders)(
    'have exactly one winner among setter, timeout, disconnect and shutdown (%s, then %s)',
    async (first, second) => {
      const arena = new Arena();
      const held = arena.hold('supplier');
      await settle();
      expect(arena.manager.held).toBe(1);
      MOVES[first](arena, held);
      MOVES[second](arena, held);
      await arena.finish();
      held.check();
      expect(held.state.endings).toEqual([first]);
      expect(arena.left()).toEqual(NOTHING_LEFT);
      expect(arena.faults).toEqual([]);
    },
  );

  test.each(orders.filter(([first]) => first === 'timeout' || first === 'shutdown'))(
    'are won by the next event while the timeout value is being made (%s, then %s)',
    async (first, second) => {
      const arena = new Arena();
      const held = arena.hold('never');
      await settle();
      MOVES[first](arena, held);
      expect(held.result.isSetOrExpired()).toBe(false);
      MOVES[second](arena, held);
      await arena.finish();
      held.check();
      const late: Partial<Record<Ending, Ending>> = { timeout: 'shutdown', shutdown: 'shutdown' };
      expect(held.state.endings).toEqual([late[second] ?? second]);
      expect(arena.left()).toEqual(NOTHING_LEFT);
    },
  );

  test('end once and run every callback once, in any order of events', async () => {
    const timeouts = fc.constantFrom<Timeout>('none', 'value', 'supplier', 'async', 'never');
    const moves = fc.constantFrom(
      'hold',
      'value',
      'error',
      'wake',
      'wakeAll',
      'timeout',
      'disconnect',
      'shutdown',
      'tick',
      'tick',
    );
    const step = fc.record({ move: moves, of: fc.nat(3), timeout: timeouts });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const arena = new Arena();
        const all: Held[] = [arena.hold('none')];
        for (const { move, of, timeout } of steps) {
          const held = all[of % all.length]!;
          if (move === 'hold') all.push(arena.hold(timeout));
          else if (move === 'wake') arena.registry.wake('key', 'value');
          else if (move === 'wakeAll') arena.registry.wakeAll();
          else if (move === 'tick') await settle();
          else MOVES[move as Ending](arena, held);
        }
        await settle();
        await arena.finish();
        for (const held of all) held.check();
        expect(arena.left()).toEqual(NOTHING_LEFT);
        expect(arena.faults).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test.each([['result first'], ['disconnect first']])(
    'end once for a real client that disconnects in the same tick as the result (%s)',
    async (order) => {
      const endings: unknown[] = [];
      const result = new DeferredResult<unknown>();
      const served = await serve(() => result);
      served.manager.register('endings', { afterCompletion: (held) => endings.push(held.ending) });
      const request = served.open('/');
      await until(() => served.manager.held === 1);
      const { res } = served.contexts[0]!;
      const setResult = (): boolean => result.setResult('value');
      const sets: boolean[] = [];
      if (order === 'result first') res.prependListener('close', () => sets.push(setResult()));
      else res.on('close', () => sets.push(setResult()));
      request.destroy();
      await until(() => endings.length > 0);
      await settle();
      expect(sets).toEqual([order === 'result first']);
      expect(endings).toEqual([order === 'result first' ? 'value' : 'disconnect']);
      expect([served.manager.held, served.manager.timers, res.headersSent]).toEqual([0, 0, false]);
      expect([served.faults, served.appErrors]).toEqual([[], []]);
    },
  );

  test('end a response whose socket is destroyed in the tick in which its result is set', async () => {
    const endings: unknown[] = [];
    const result = new DeferredResult<unknown>();
    const served = await serve(() => result);
    served.manager.register('endings', { afterCompletion: (held) => endings.push(held.ending) });
    served.open('/');
    await until(() => served.manager.held === 1);
    served.contexts[0]!.req.socket.destroy();
    expect(result.setResult('value')).toBe(true);
    await until(() => endings.length > 0);
    expect(endings).toEqual(['value']);
    expect([served.manager.held, served.faults, served.appErrors]).toEqual([0, [], []]);
  });
});
