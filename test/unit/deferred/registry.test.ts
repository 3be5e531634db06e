import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Registry } from '../../../src/deferred/registry.ts';

function makeRegistry(): { registry: Registry<string>; faults: unknown[] } {
  const faults: unknown[] = [];
  return { registry: new Registry<string>({ onFault: (error) => faults.push(error) }), faults };
}

describe('Registry', () => {
  test('wakes the waiters of a key with the event, until they are released', () => {
    const { registry } = makeRegistry();
    const wakes: string[] = [];
    const releaseA = registry.register(['x'], (event) => wakes.push(`a:${event}`));
    const releaseB = registry.register(['x', 'y'], (event) => wakes.push(`b:${event}`));
    registry.wake('x', '1');
    registry.wake('z', '2');
    releaseA();
    releaseA();
    registry.wake('x', '3');
    expect(wakes).toEqual(['a:1', 'b:1', 'b:3']);
    expect([registry.size, registry.has('x'), registry.has('y')]).toEqual([1, true, true]);
    releaseB();
    expect([registry.size, registry.has('x'), registry.has('y')]).toEqual([0, false, false]);
  });

  test('wakeAll wakes a waiter with several keys once, without an event', () => {
    const { registry } = makeRegistry();
    const wakes: unknown[] = [];
    registry.register(['x', 'y', 'z'], (event) => wakes.push(['a', event]));
    registry.register(['y', 'y'], (event) => wakes.push(['b', event]));
    registry.wakeAll();
    expect(wakes).toEqual([
      ['a', undefined],
      ['b', undefined],
    ]);
  });

  test('reports a waiter that throws, and wakes the others', () => {
    const { registry, faults } = makeRegistry();
    let isWoken = false;
    registry.register(['x'], () => {
      throw new Error('broken');
    });
    registry.register(['x'], () => (isWoken = true));
    registry.wake('x', 'event');
    expect(isWoken).toBe(true);
    expect(faults).toEqual([new Error('broken')]);
  });

  test('wakes no waiter that was released inside the same wake', () => {
    const { registry, faults } = makeRegistry();
    const wakes: string[] = [];
    const releases: (() => void)[] = [];
    releases.push(
      registry.register(['x'], () => {
        wakes.push('first');
        for (const release of releases) release();
      }),
    );
    releases.push(registry.register(['x'], () => wakes.push('second')));
    registry.wake('x', 'event');
    expect(wakes).toEqual(['first']);
    expect(faults).toEqual([]);
    expect([registry.size, registry.has('x')]).toEqual([0, false]);
  });

  test('does not wake a waiter that registers inside the wake', () => {
    const { registry } = makeRegistry();
    let wakes = 0;
    const registerAgain = (): void => {
      wakes += 1;
      registry.register(['x'], registerAgain);
    };
    registry.register(['x'], registerAgain);
    registry.wake('x', 'event');
    expect(wakes).toBe(1);
    registry.wake('x', 'event');
    expect(wakes).toBe(3);
  });

  test('agrees with a simple model in any order of register, release and wake', () => {
    const keys = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 });
    const step = fc.oneof(
      keys.map((of) => ({ kind: 'register' as const, of })),
      fc.nat(9).map((which) => ({ kind: 'release' as const, which })),
      fc.constantFrom('a', 'b', 'c', 'd').map((key) => ({ kind: 'wake' as const, key })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { registry } = makeRegistry();
        const waiters: { keys: string[]; release: () => void; isOpen: boolean; wakes: number; expected: number }[] = [];
        for (const next of steps) {
          if (next.kind === 'register') {
            const waiter = { keys: next.of, release: () => {}, isOpen: true, wakes: 0, expected: 0 };
            waiter.release = registry.register(next.of, () => (waiter.wakes += 1));
            waiters.push(waiter);
          } else if (next.kind === 'release') {
            const waiter = waiters[next.which];
            waiter?.release();
            if (waiter) waiter.isOpen = false;
          } else {
            registry.wake(next.key, 'event');
            for (const waiter of waiters) if (waiter.isOpen && waiter.keys.includes(next.key)) waiter.expected += 1;
          }
          const open = waiters.filter((waiter) => waiter.isOpen);
          expect(registry.size).toBe(open.length);
          for (const key of ['a', 'b', 'c', 'd']) {
            expect(registry.has(key)).toBe(open.some((waiter) => waiter.keys.includes(key)));
          }
        }
        for (const waiter of waiters) expect(waiter.wakes).toBe(waiter.expected);
      }),
    );
  });

  test('requests keys of a source at each registration and before a read', async () => {
    const asked: (readonly string[])[] = [];
    const listening = Promise.resolve();
    const registry: Registry<string> = new Registry<string>({
      onFault: () => undefined,
      listen: (keys) => (asked.push([...keys, String(registry.has('x'))]), listening),
    });
    registry.register(['x', 'y'], () => undefined);
    expect(asked).toEqual([['x', 'y', 'true']]);
    expect(registry.listening(['x'])).toBe(listening);
    expect(asked).toHaveLength(2);
    expect(new Registry<string>({ onFault: () => undefined }).listening(['x'])).toBe(undefined);
  });
});
