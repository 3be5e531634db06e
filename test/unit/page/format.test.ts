import { expect, test } from '@jest/globals';
import {
  formatBoth,
  formatBytes,
  formatDeadline,
  formatDuration,
  formatExposure,
  formatLimit,
  formatPercent,
  formatTakenAt,
} from '../../../src/page/format.ts';

const LOCALE = 'en-GB';

test.each([
  [0, '0 kB'],
  [1, '1 kB'],
  [999, '1 kB'],
  [613_714, '614 kB'],
  [3_449_000, '3.4 MB'],
  [48_700_000, '49 MB'],
  [1_000_000_000, '1 GB'],
  [2.5e15, '2,500 TB'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(formatBytes(bytes, LOCALE)).toBe(text);
});

test.each([
  [0, '0%'],
  [43.9, '43%'],
  [99.9, '99%'],
  [100, '100%'],
])('%d percent are shown as %s', (percent, text) => {
  expect(formatPercent(percent, LOCALE)).toBe(text);
});

test.each([
  [999, null],
  [1000, '1 second'],
  [8200, '9 seconds'],
  [11_000, '15 seconds'],
  [59_000, '55 seconds'],
  [61_000, '2 minutes'],
  [3_600_000, '1 hour'],
])('%d ms are shown as %s', (durationMs, text) => {
  expect(formatDuration(durationMs, LOCALE)).toBe(text);
});

test.each([
  ['2025-06-21T18:04:11+02:00', '21 Jun 2025, 18:04'],
  ['2025-06-21T18:04:11', '21 Jun 2025, 18:04'],
  ['2025-06-21T18:04:11Z', '21 Jun 2025, 18:04'],
])('the time of the camera is shown without conversion: %s', (takenAt, text) => {
  expect(formatTakenAt(takenAt, LOCALE)).toBe(text);
});

test.each(['', 'yesterday', '2025-13-45T99:99:00'])('%p is not shown as a date', (takenAt) => {
  expect(formatTakenAt(takenAt, LOCALE)).toBeNull();
});

test.each([
  [{ timeMs: 4, fNumber: 2.8, iso: 200, focalLengthMm: 23 }, '1/250 s · f/2.8 · ISO 200 · 23 mm'],
  [{ timeMs: 333.3, fNumber: null, iso: 12_800, focalLengthMm: null }, '1/3 s · ISO 12800'],
  [{ timeMs: 500, fNumber: 16, iso: null, focalLengthMm: 4.25 }, '0.5 s · f/16 · 4.3 mm'],
  [{ timeMs: 30_000, fNumber: null, iso: null, focalLengthMm: null }, '30 s'],
  [{ timeMs: 0, fNumber: null, iso: null, focalLengthMm: null }, null],
])('an exposure of %j is shown as %p', (exposure, text) => {
  expect(formatExposure(exposure, LOCALE)).toBe(text);
});

test('a deadline is shown relative to today, and later ones as a date', () => {
  const now = new Date(2026, 10, 29, 23, 30).getTime();
  const at = (day: number, hour: number): string =>
    formatDeadline(new Date(2026, 10, day, hour, 20).getTime(), now, 'en-GB');
  expect([at(29, 23), at(30, 11)]).toEqual(['today, 23:20', 'tomorrow, 11:20']);
  expect(at(32, 9)).toBe('2 Dec 2026, 09:20');
});

test('two sizes that look the same are shown in bytes', () => {
  expect(formatBoth(117_000_000, 100_000_000, 'en-GB')).toEqual(['117 MB', '100 MB']);
  expect(formatBoth(104_857_601, 104_857_600, 'en-GB')).toEqual(['104,857,601 bytes', '104,857,600 bytes']);
});

test.each([
  [1, '1 kB'],
  [2000, '2 kB'],
  [9_999_999, '9.9 MB'],
  [104_857_600, '104 MB'],
  [5_368_709_120, '5.3 GB'],
])('a limit of %i bytes is shown as %s, which never exceeds it', (bytes, text) => {
  expect(formatLimit(bytes, LOCALE)).toBe(text);
});
