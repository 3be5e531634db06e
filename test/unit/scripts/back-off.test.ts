import { describe, expect, test } from '@jest/globals';
import { BackOff } from '../../../scripts/back-off.ts';

describe('BackOff', () => {
  const next = (backOff: BackOff, count: number, livedMs = 0): number[] =>
    Array.from({ length: count }, () => backOff.nextDelayMs(livedMs));

  test('doubles from 250 ms to 10 s', () => {
    expect(next(new BackOff(() => 0), 8)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  test('subtracts up to a quarter as jitter', () => {
    expect(next(new BackOff(() => 1), 3)).toEqual([188, 375, 750]);
  });

  test('begins at 250 ms again after a life of 30 s', () => {
    const backOff = new BackOff(() => 0);
    expect(next(backOff, 3)).toEqual([250, 500, 1000]);
    expect(backOff.nextDelayMs(29_999)).toBe(2000);
    expect(backOff.nextDelayMs(30_000)).toBe(250);
    expect(backOff.nextDelayMs(0)).toBe(500);
  });
});
