import { describe, expect, test } from '@jest/globals';
import { LAST_TRY, pauseAfterTry } from '../../../src/delivery/retry-schedule.ts';

const HOUR_MS = 3_600_000;

describe('the pause after a failed try', () => {
  test.each([
    [1, 5_000],
    [2, 30_000],
    [3, 120_000],
    [4, 600_000],
    [5, HOUR_MS],
    [6, 3 * HOUR_MS],
    [7, 6 * HOUR_MS],
    [8, 12 * HOUR_MS],
  ])('number %d is about %d ms', (tries, aboutMs) => {
    const pauses = Array.from({ length: 50 }, () => pauseAfterTry(tries));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(aboutMs * 0.85);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(aboutMs * 1.15);
    expect(new Set(pauses).size).toBeGreaterThan(10);
  });

  test('follows each try except the last one', () => {
    expect(LAST_TRY).toBe(9);
  });

  test('is as long as the endpoint asks, up to an hour, and never shorter than usual', () => {
    expect(pauseAfterTry(1, 60_000)).toBeGreaterThanOrEqual(51_000);
    expect(pauseAfterTry(1, 1e12)).toBeLessThanOrEqual(HOUR_MS * 1.15);
    expect(pauseAfterTry(3, 1)).toBeGreaterThanOrEqual(102_000);
  });
});
