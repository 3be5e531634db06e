import { expect, test } from '@jest/globals';
import { createBackoff } from '../../../src/client/backoff.ts';
import { readRetryAfter } from '../../../src/client/http.ts';

const LIMITS = { firstMs: 500, longestMs: 4000 };

test('the pause doubles up to its limit and is reset by a success', () => {
  const backoff = createBackoff({ ...LIMITS, random: () => 1 });
  expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).toEqual([500, 1000, 2000, 4000, 4000]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(500);
});

test('jitter shortens a pause by at most half', () => {
  expect(createBackoff({ ...LIMITS, random: () => 0 }).nextMs()).toBe(250);
});

test('the pause is never shorter than Retry-After', () => {
  expect(createBackoff({ ...LIMITS, random: () => 0 }).nextMs(9000)).toBe(9000);
  expect(createBackoff({ ...LIMITS, random: () => 1 }).nextMs(9000)).toBe(9500);
  expect(createBackoff({ ...LIMITS, random: () => 1 }).nextMs(0)).toBe(500);
});

test.each([
  ['120', 120_000],
  ['Sat, 14 Mar 2026 12:00:30 GMT', 30_000],
  ['Sat, 14 Mar 2026 11:00:00 GMT', 0],
  ['soon', null],
  [null, null],
])('Retry-After %s means %s ms from now', (value, expectedMs) => {
  expect(readRetryAfter(value, Date.UTC(2026, 2, 14, 12))).toBe(expectedMs);
});
