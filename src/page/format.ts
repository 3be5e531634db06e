import type { Exposure } from '../wire/documents.ts';
import { dateTimeFormat, numberFormat } from './formatters.ts';

const BYTE_UNITS = ['kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** Returns for example `3.4 MB`, in decimal units as in file managers. Less than 1 kB becomes 1 kB. */
export function formatBytes(bytes: number, locale: string): string {
  const power = bytes < 1000 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(bytes) / 3) - 1);
  const value = bytes / 1000 ** (power + 1);
  if (power === 0) return formatUnit(Math.ceil(value), 'kilobyte', locale);
  return formatUnit(value, BYTE_UNITS[power] ?? 'terabyte', locale, value < 10 ? 1 : 0);
}

/** Returns a size rounded down, so that a file of the shown size is within the limit. */
export function formatLimit(bytes: number, locale: string): string {
  const unit = 1000 ** Math.max(1, Math.floor(Math.log10(bytes) / 3));
  const step = bytes < 10 * unit && unit > 1000 ? unit / 10 : unit;
  return formatBytes(Math.max(1, Math.floor(bytes / step)) * step, locale);
}

/** Returns two sizes that look different, in bytes if they would otherwise look the same. */
export function formatBoth(a: number, b: number, locale: string): [a: string, b: string] {
  const [first, second] = [formatBytes(a, locale), formatBytes(b, locale)];
  if (first !== second) return [first, second];
  return [formatUnit(a, 'byte', locale, 0, 'long'), formatUnit(b, 'byte', locale, 0, 'long')];
}

/** Returns whole percent, rounded down, so that only a finished upload shows 100%. */
export function formatPercent(percent: number, locale: string): string {
  return numberFormat(locale, { style: 'percent' }).format(Math.floor(percent) / 100);
}

/** Returns a duration in one unit, such as `40 seconds` or `3 minutes`; null below one second. */
export function formatDuration(durationMs: number, locale: string): string | null {
  if (durationMs < 1000) return null;
  const seconds = durationMs / 1000;
  if (seconds < 10) return formatUnit(Math.ceil(seconds), 'second', locale, 0, 'long');
  // Steps of five seconds flicker less than single seconds.
  if (seconds < 60) return formatUnit(Math.min(55, Math.ceil(seconds / 5) * 5), 'second', locale, 0, 'long');
  if (seconds < 3600) return formatUnit(Math.ceil(seconds / 60), 'minute', locale, 0, 'long');
  if (seconds < 172_800) return formatUnit(Math.ceil(seconds / 3600), 'hour', locale, 0, 'long');
  return formatUnit(Math.ceil(seconds / 86_400), 'day', locale, 0, 'long');
}

/**
 * Returns the time on the camera's clock when the picture was taken, not converted to the time zone of the user. Null
 * if `takenAt` is not a date.
 */
export function formatTakenAt(takenAt: string, locale: string): string | null {
  const wallClock = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})/.exec(takenAt)?.[1];
  const atMs = wallClock === undefined ? Number.NaN : Date.parse(`${wallClock}:00Z`);
  if (Number.isNaN(atMs)) return null;
  return dateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(atMs);
}

/** Returns for example `1/250 s · f/2.8 · ISO 200 · 23 mm`; null if no value is known. */
export function formatExposure({ timeMs, fNumber, iso, focalLengthMm }: Exposure, locale: string): string | null {
  const number = numberFormat(locale, { maximumFractionDigits: 1, useGrouping: false });
  const parts = [
    timeMs === null || timeMs <= 0 ? null : `${formatShutter(timeMs, number)} s`,
    fNumber === null ? null : `f/${number.format(fNumber)}`,
    iso === null ? null : `ISO ${number.format(iso)}`,
    focalLengthMm === null ? null : `${number.format(focalLengthMm)} mm`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' · ');
}

/** Returns an exposure time, as a fraction if it is 0.35 s or less, as cameras do. */
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
  return numberFormat(locale, { style: 'unit', unit, unitDisplay, maximumFractionDigits }).format(value);
}

const DAY_MS = 86_400_000;

/** Returns for example `tomorrow, 11:20`, or a date if it is later. */
export function formatDeadline(atMs: number, nowMs: number, locale: string): string {
  const days = Math.round((startOfDay(atMs) - startOfDay(nowMs)) / DAY_MS);
  if (days > 1 || days < 0) return dateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(atMs);
  const day = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(days, 'day');
  return `${day}, ${dateTimeFormat(locale, { timeStyle: 'short' }).format(atMs)}`;
}

function startOfDay(atMs: number): number {
  return new Date(atMs).setHours(0, 0, 0, 0);
}
