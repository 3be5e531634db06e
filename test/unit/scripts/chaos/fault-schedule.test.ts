import { describe, expect, test } from '@jest/globals';
import { FAULT_KINDS, faultLine, planFaults, targetOf } from '../../../../scripts/chaos/fault-schedule.ts';

const shape = { seconds: 75, apis: 3, workers: 3 };

describe('fault schedule', () => {
  test('is the same for the same seed, and differs for another', () => {
    expect(planFaults(shape, 7)).toEqual(planFaults(shape, 7));
    expect(planFaults(shape, 8)).not.toEqual(planFaults(shape, 7));
  });

  test('has every kind of fault in a run of the usual length', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      expect(new Set(planFaults(shape, seed).map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS));
    }
  });

  test('starts after the first load and ends before the last, in the order of time', () => {
    const times = planFaults(shape, 7).map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((left, right) => left - right));
    expect(Math.min(...times)).toBeGreaterThan(0);
    expect(Math.max(...times)).toBeLessThan(shape.seconds * 1000);
  });

  test('hits no target twice at a time, and only existing targets', () => {
    const counts = { api: 3, 'api-link': 3, worker: 3, 'redis-link': 6, redis: 1, storage: 1 };
    for (let seed = 1; seed <= 50; seed += 1) {
      const busyUntilMs = new Map<string, number>();
      for (const { atMs, kind, index, forMs } of planFaults(shape, seed)) {
        const target = `${targetOf(kind)} ${index}`;
        expect(atMs).toBeGreaterThanOrEqual(busyUntilMs.get(target) ?? 0);
        expect(index).toBeLessThan(counts[targetOf(kind)]);
        busyUntilMs.set(target, atMs + forMs);
      }
    }
  });

  test('has the requested number of faults if there is enough time for them', () => {
    expect(planFaults({ ...shape, faults: 5 }, 7)).toHaveLength(5);
  });

  test('is printed as one line per fault', () => {
    expect(faultLine({ atMs: 1234, kind: 'worker-pause', index: 2, forMs: 7000 })).toBe(
      '   1.23 s  worker-pause 2 for 7.0 s',
    );
    expect(faultLine({ atMs: 61_000, kind: 'redis-kill', index: 0, forMs: 500 })).toBe(
      '  61.00 s  redis-kill for 0.5 s',
    );
  });
});
