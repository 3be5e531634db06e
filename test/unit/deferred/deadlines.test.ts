import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Deadlines, type Expirable } from '../../../src/deferred/deadlines.ts';
import { FakeClock } from './fake-clock.ts';
import { eventually } from '../../helpers/eventually.ts';

class Entry implements Expirable {
  deadlineBucket: number | undefined;
  readonly expirations: number[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  expire(): void {
    this.expirations.push(this.#now());
  }
}

const failOnFault = (error: unknown): never => {
  throw error;
};

describe('Deadlines', () => {
  test('never fires early, and at most 50 ms late on an idle loop', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(0, 0.9, 3),
        (delaysMs, earlyMs) => {
          const clock = new FakeClock({ earlyMs });
          const deadlines = new Deadlines({ clock, onFault: failOnFault });
          const entries = delaysMs.map((delayMs) => {
            clock.advance(0.7);
            const entry = new Entry(() => clock.now());
            deadlines.add(entry, delayMs);
            return { entry, dueMs: clock.now() + delayMs };
          });
          clock.advance(61_000);
          for (const { entry, dueMs } of entries) {
            expect(entry.expirations).toHaveLength(1);
            expect(entry.expirations[0]).toBeGreaterThanOrEqual(dueMs);
            expect(entry.expirations[0]).toBeLessThanOrEqual(dueMs + 50);
          }
          expect([deadlines.size, deadlines.timers, clock.timers]).toEqual([0, 0, 0]);
        },
      ),
    );
  });

  test('never fires early on the clock of this process', async () => {
    const deadlines = new Deadlines({ onFault: failOnFault });
    const entries = Array.from({ length: 50 }, (_, index) => {
      const entry = new Entry(() => performance.now());
      const dueMs = performance.now() + index;
      deadlines.add(entry, index);
      return { entry, dueMs };
    });
    await eventually('every deadline', () => deadlines.size === 0);
    for (const { entry, dueMs } of entries) expect(entry.expirations[0]).toBeGreaterThanOrEqual(dueMs);
    expect(deadlines.timers).toBe(0);
  });

  test('shares the timers of ten thousand waiters, and has none after their removal', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines({ clock, onFault: failOnFault });
    const entries = Array.from({ length: 10_000 }, () => new Entry(() => clock.now()));
    entries.forEach((entry, index) => {
      deadlines.add(entry, 25_000 + (index % 160));
    });
    expect(deadlines.size).toBe(10_000);
    expect(clock.timers).toBeLessThanOrEqual(11);
    for (const entry of entries) expect(deadlines.remove(entry)).toBe(true);
    expect([deadlines.size, deadlines.timers, clock.timers]).toEqual([0, 0, 0]);
    clock.advance(30_000);
    expect(entries.every((entry) => entry.expirations.length === 0)).toBe(true);
  });

  test('replaces an earlier deadline, and removes an entry only once', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines({ clock, onFault: failOnFault });
    const entry = new Entry(() => clock.now());
    deadlines.add(entry, 100);
    deadlines.add(entry, 1000);
    expect([deadlines.size, deadlines.timers]).toEqual([1, 1]);
    clock.advance(500);
    expect(entry.expirations).toEqual([]);
    expect([deadlines.remove(entry), deadlines.remove(entry)]).toEqual([true, false]);
  });

  test('lists an entry without a deadline, with no timer', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines({ clock, onFault: failOnFault });
    const entry = new Entry(() => clock.now());
    deadlines.add(entry, Infinity);
    expect([deadlines.size, deadlines.timers, clock.timers]).toEqual([1, 0, 0]);
    expect(deadlines.entries()).toEqual([entry]);
    deadlines.remove(entry);
    expect(deadlines.size).toBe(0);
  });

  test('waits for a delay that is longer than a Node timer allows', () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines({ clock, onFault: failOnFault });
    const entry = new Entry(() => clock.now());
    const dueMs = clock.now() + 2 ** 32;
    deadlines.add(entry, 2 ** 32);
    clock.advance(2 ** 31 + 5);
    expect(entry.expirations).toEqual([]);
    clock.advance(2 ** 31 + 60);
    expect(entry.expirations[0]).toBeGreaterThanOrEqual(dueMs);
  });

  test('reports an entry that throws and expires the others, except entries removed meanwhile', () => {
    const clock = new FakeClock();
    const faults: unknown[] = [];
    const deadlines = new Deadlines({ clock, onFault: (error) => faults.push(error) });
    const spared = new Entry(() => clock.now());
    const last = new Entry(() => clock.now());
    const first: Expirable = {
      deadlineBucket: undefined,
      expire() {
        deadlines.remove(spared);
        throw new Error('broken');
      },
    };
    for (const entry of [first, spared, last]) deadlines.add(entry, 10);
    clock.advance(100);
    expect(faults).toEqual([new Error('broken')]);
    expect([spared.expirations.length, last.expirations.length]).toEqual([0, 1]);
  });
});
