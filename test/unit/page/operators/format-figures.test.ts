import { expect, test } from '@jest/globals';
import { formatAge, formatCount, formatLatency } from '../../../../src/page/operators/format-figures.ts';

test.each([
  [0, '0 s'],
  [999, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [200_500, '3 min 20 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [86_399_999, '23 h 59 min'],
  [90_000_000, '1 d 1 h'],
  [8_640_000_000, '100 d'],
])('an age of %d ms is shown as %s', (ageMs, text) => {
  expect(formatAge(ageMs)).toBe(text);
});

test.each([
  [0.416, '0.42 ms'],
  [0.999, '1.00 ms'],
  [7.44, '7.4 ms'],
  [120.6, '121 ms'],
])('a latency of %d ms is shown as %s', (latencyMs, text) => {
  expect(formatLatency(latencyMs)).toBe(text);
});

test('thousands are separated by a comma', () => {
  expect(formatCount(12_345)).toBe('12,345');
});
