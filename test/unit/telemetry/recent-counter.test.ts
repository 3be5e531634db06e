import { expect, test } from '@jest/globals';
import { RecentCounter } from '../../../src/telemetry/recent-counter.ts';

function counterAt(startMs: number) {
  const clock = { nowMs: startMs };
  return { clock, counter: new RecentCounter(1000, () => clock.nowMs) };
}

test('the counter counts events of the last minute only', () => {
  const { clock, counter } = counterAt(1_500);
  counter.add();
  counter.add();
  clock.nowMs = 31_000;
  counter.add();
  expect(counter.total).toBe(3);
  clock.nowMs = 60_999;
  expect(counter.total).toBe(3);
  clock.nowMs = 61_000;
  expect(counter.total).toBe(1);
  clock.nowMs = 91_000;
  expect(counter.total).toBe(0);
});

test('the counter restarts from zero after a long pause', () => {
  const { clock, counter } = counterAt(0);
  for (const restMs of [59_000, 60_000, 61_000, 3_600_000]) {
    counter.add();
    clock.nowMs += restMs;
  }
  expect(counter.total).toBe(0);
  counter.add();
  expect(counter.total).toBe(1);
});

test('the counter lists its steps, the oldest first', () => {
  const clock = { nowMs: 0 };
  const counter = new RecentCounter(60_000, () => clock.nowMs);
  counter.add();
  clock.nowMs = 60_000;
  counter.add();
  counter.add();
  expect(counter.series).toHaveLength(60);
  expect(counter.series.slice(-3)).toEqual([0, 1, 2]);
});
