import { expect, test } from '@jest/globals';
import { RecentWakes } from '../../../src/telemetry/recent-wakes.ts';

function wakesAt(startMs: number) {
  const clock = { nowMs: startMs };
  return { clock, wakes: new RecentWakes(() => clock.nowMs) };
}

test('the latency is null if no response was woken', () => {
  expect(wakesAt(0).wakes.latency()).toBeNull();
});

test('the latency has the 50th and the 99th percentile by nearest rank', () => {
  const { wakes } = wakesAt(0);
  for (let ms = 200; ms >= 1; ms -= 1) wakes.add(ms);
  expect(wakes.latency()).toEqual({ count: 200, p50Ms: 100, p99Ms: 198 });
});

test('the latency covers the last 1000 wake-ups of the last minute', () => {
  const { clock, wakes } = wakesAt(1_000);
  for (let index = 0; index < 500; index += 1) wakes.add(9);
  clock.nowMs = 50_000;
  for (let index = 0; index < 800; index += 1) wakes.add(1.23456);
  expect(wakes.latency()).toEqual({ count: 1000, p50Ms: 1.23, p99Ms: 9 });
  clock.nowMs = 61_001;
  expect(wakes.latency()).toEqual({ count: 800, p50Ms: 1.23, p99Ms: 1.23 });
  clock.nowMs = 200_000;
  expect(wakes.latency()).toBeNull();
});
