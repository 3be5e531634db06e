import { describe, expect, test } from '@jest/globals';
import { sparkPath } from '../../../../src/page/operators/sparkline.ts';
import { warningsOf } from '../../../../src/page/operators/warnings.ts';

const WELL: Parameters<typeof warningsOf>[0] = {
  waiting: { count: 1, byKind: {}, capacity: 100, oldestMs: 4000 },
  storage: { freeBytes: 40e9, totalBytes: 100e9 },
  redis: { usedBytes: 1e6, maxBytes: null },
};

describe('the warnings of the operators page', () => {
  test('are empty while all is well, and with a bucket and a Redis that reports nothing', () => {
    expect(warningsOf(WELL)).toEqual([]);
    expect(warningsOf({ ...WELL, storage: null, redis: null })).toEqual([]);
  });

  test.each([
    ['a full disk', { storage: { freeBytes: 500e6, totalBytes: 4e9 } }, /^The storage has 500 MB left/],
    ['a disk with 4 % left', { storage: { freeBytes: 4e9, totalBytes: 100e9 } }, /^The storage has 4(\.0)? GB left/],
    ['a full Redis', { redis: { usedBytes: 95, maxBytes: 100 } }, /^Redis uses 95 % of its memory/],
    ['a full queue', { waiting: { ...WELL.waiting, count: 90 } }, /^90 of 100 places of the queue are taken/],
    [
      'an old upload',
      { waiting: { ...WELL.waiting, oldestMs: 400_000 } },
      /^The oldest upload has waited for 6 min 40 s/,
    ],
  ])('name %s', (_what, change, expected) => {
    expect(warningsOf({ ...WELL, ...change })).toEqual([expect.stringMatching(expected)]);
  });
});

describe('a sparkline', () => {
  test('has its highest value at the top and 0 at the bottom', () => {
    expect(sparkPath([0, 5, 10])).toBe('M0 16.0L1 8.0L2 0.0');
  });

  test('is a line at the bottom if all values are 0', () => {
    expect(sparkPath([0, 0])).toBe('M0 16.0L1 16.0');
  });
});
