import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { after, every, monotonicMs, sharedDelay } from '../../../src/telemetry/shared-timer.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Returns the times of the calls, rounded to seconds, and a function that records one. */
function recordCalls(): { atSeconds: number[]; call: () => void } {
  const startMs = monotonicMs();
  const atSeconds: number[] = [];
  return { atSeconds, call: () => void atSeconds.push(Math.round((monotonicMs() - startMs) / 1000)) };
}

describe('the shared timer', () => {
  test('wakes the process once for all calls of a step', () => {
    const stops = [3_000, 6_000, 10_000].map((periodMs) => every(periodMs, () => undefined));
    expect(jest.getTimerCount()).toBe(1);
    for (const stop of stops) stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('makes as many calls as a timer of its own, each at most 3 seconds early', () => {
    const { atSeconds, call } = recordCalls();
    const stop = every(10_000, call);
    jest.advanceTimersByTime(100_000);
    stop();
    jest.advanceTimersByTime(100_000);
    expect(atSeconds).toHaveLength(10);
    for (const [index, second] of atSeconds.slice(1).entries()) {
      expect(Math.abs(second - (atSeconds[index] ?? 0) - 10)).toBeLessThanOrEqual(3);
    }
  });

  test('keeps a period below 3 seconds exact', () => {
    const { atSeconds, call } = recordCalls();
    const stop = every(1_000, call);
    jest.advanceTimersByTime(3_000);
    stop();
    expect([atSeconds, jest.getTimerCount()]).toEqual([[1, 2, 3], 0]);
  });

  test('calls once after a pause, at the announced time', () => {
    const times: number[] = [];
    const { dueMs } = after(7_000, () => void times.push(monotonicMs()));
    const pauseMs = dueMs - monotonicMs();
    expect([pauseMs >= 5_500, pauseMs <= 8_500]).toEqual([true, true]);
    jest.advanceTimersByTime(60_000);
    expect(times).toHaveLength(1);
    expect(Math.abs((times[0] ?? 0) - dueMs)).toBeLessThan(10);
  });

  test('makes the other calls although one throws', () => {
    const { atSeconds, call } = recordCalls();
    const stops = [
      every(3_000, () => {
        throw new Error('broken');
      }),
      every(3_000, call),
    ];
    expect(() => jest.advanceTimersByTime(3_001)).toThrow('broken');
    jest.advanceTimersByTime(10);
    for (const stop of stops) stop();
    expect(atSeconds).toHaveLength(1);
  });
});

describe('a pause of the shared timer', () => {
  test.each([100, 7_000])('of %i ms ends when the signal fires, and leaves no timer', async (delayMs) => {
    const closing = new AbortController();
    const pause = sharedDelay(delayMs, closing.signal);
    closing.abort();
    await pause;
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([100, 7_000])('of %i ms ends at once if the signal has fired before', async (delayMs) => {
    await sharedDelay(delayMs, AbortSignal.abort());
    expect(jest.getTimerCount()).toBe(0);
  });

  test('below 3 seconds does not wait for the shared timer', async () => {
    const pause = sharedDelay(20, new AbortController().signal);
    // The timers of the test are counted. The pause has a real timer.
    expect(jest.getTimerCount()).toBe(0);
    await pause;
  });
});
