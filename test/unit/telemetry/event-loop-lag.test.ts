import { describe, expect, test } from '@jest/globals';
import { EventLoopLag } from '../../../src/telemetry/event-loop-lag.ts';

/** Starts a measurement whose timers run when a test says so. */
function start(): { lag: EventLoopLag; periodsMs: number[]; run: (lateMs: number, share?: number) => void } {
  let nowMs = 0;
  let workingShare = 0;
  let next: { dueMs: number; call: () => void } | undefined;
  const periodsMs: number[] = [];
  const lag = new EventLoopLag({
    nowMs: () => nowMs,
    workingShare: () => workingShare,
    after(delayMs, call) {
      periodsMs.push(delayMs);
      next = { dueMs: nowMs + delayMs, call };
      return next.dueMs;
    },
  });
  const run = (lateMs: number, share = 0): void => {
    nowMs = (next?.dueMs ?? 0) + lateMs;
    workingShare = share;
    next?.call();
  };
  return { lag, periodsMs, run };
}

describe('the lag of the event loop', () => {
  test('is measured every 3 seconds while the process is idle', () => {
    const { periodsMs, run } = start();
    for (let time = 0; time < 3; time += 1) run(0);
    expect(periodsMs).toEqual([3000, 3000, 3000, 3000]);
  });

  test('is measured every 20 ms until two seconds after the process was busy', () => {
    const { periodsMs, run } = start();
    run(0, 0.5);
    for (let time = 0; time < 100; time += 1) run(0);
    expect(periodsMs).toEqual([3000, ...Array.from({ length: 100 }, () => 20), 3000]);
  });

  test('is the time by which timers were late since the last reading, in seconds', () => {
    const { lag, run } = start();
    run(10);
    run(30);
    const { min, max, mean } = lag.take();
    expect([min, max, mean].map((seconds) => Number(seconds.toFixed(3)))).toEqual([0.01, 0.03, 0.02]);
    run(5);
    expect(lag.take().max).toBeCloseTo(0.005, 3);
  });

  test('is 0 if nothing was measured since the last reading', () => {
    expect(start().lag.take()).toEqual({ min: 0, max: 0, mean: 0, stddev: 0, p50: 0, p90: 0, p99: 0 });
  });
});
