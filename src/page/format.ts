import type { Exposure } from '../wire/documents.ts';

const BYTE_UNITS = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** `3.4 MB`; thousands, as cameras and file managers count. What is less than a kilobyte is shown as one. */
export function formatBytes(bytes: number, locale: string): string {
  const power = bytes < 1000 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(bytes) / 3) - 1);
  const value = bytes / 1000 ** (power + 1);
  if (power === 0) return formatUnit(Math.ceil(value), 'kilobyte', locale);
  return formatUnit(value, BYTE_UNITS[power] ?? 'terabyte', locale, value < 10 ? 1 : 0);
}

/** Whole percent, rounded down: 100 is shown by what is done and by nothing else. */
export function formatPercent(percent: number, locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'percent' }).format(Math.floor(percent) / 100);
}

/** In the one unit that suits, `40 seconds` or `3 minutes`; null below a second, which is not worth telling. */
export function formatDuration(durationMs: number, locale: string): string | null {
  if (durationMs < 1000) return null;
  const seconds = durationMs / 1000;
  if (seconds < 10) return formatUnit(Math.ceil(seconds), 'second', locale, 0, 'long');
  // Steps of five do not flicker as single seconds do.
  if (seconds < 60) return formatUnit(Math.min(55, Math.ceil(seconds / 5) * 5), 'second', locale, 0, 'long');
  if (seconds < 3600) return formatUnit(Math.ceil(seconds / 60), 'minute', locale, 0, 'long');
  return formatUnit(Math.ceil(seconds / 3600), 'hour', locale, 0, 'long');
}

/**
 * The camera's own clock as it stood when the picture was taken, whatever the zone of the
 * reader; null for what is not a date.
 */
export function formatTakenAt(takenAt: string, locale: string): string | null {
  const wallClock = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})/.exec(takenAt)?.[1];
  const atMs = wallClock === undefined ? Number.NaN : Date.parse(`${wallClock}:00Z`);
  if (Number.isNaN(atMs)) return null;
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(atMs);
}

/** `1/250 s · f/2.8 · ISO 200 · 23 mm`, as photographers write it; null where the file said nothing. */
export function formatExposure({ timeMs, fNumber, iso, focalLengthMm }: Exposure, locale: string): string | null {
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, useGrouping: false });
  const parts = [
    timeMs === null || timeMs <= 0 ? null : `${formatShutter(timeMs, number)} s`,
    fNumber === null ? null : `f/${number.format(fNumber)}`,
    iso === null ? null : `ISO ${number.format(iso)}`,
    focalLengthMm === null ? null : `${number.format(focalLengthMm)} mm`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' · ');
}

/** Cameras write a third of a second and less as a fraction, whose denominator is whole. */
function formatShutter(timeMs: number, number: Intl.NumberFormat): string {
  return timeMs > 350 ? number.format(timeMs / 1000) : `1/${Math.round(1000 / timeMs)}`;
}

function formatUnit(
  value: number,
  unit: string,
  locale: string,
  maximumFractionDigits = 0,
  unitDisplay: 'short' | 'long' = 'short',
): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay, maximumFractionDigits }).format(value);
}
