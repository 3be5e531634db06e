import { CELL } from '../cell-type.ts';
import type { TimeFormat } from './styles.ts';

const DAY_MS = 86_400_000;

/** Day 0 of the calendar of Lotus 1-2-3 and Excel, for days after 29 February 1900, which never existed. */
const EPOCH_1900_MS = Date.UTC(1899, 11, 30);
const EPOCH_1904_MS = Date.UTC(1904, 0, 1);

/** Lotus took 1900 for a leap year. Day 60 is 29 February 1900, and earlier days are off by one. */
const FALSE_LEAP_DAY = 60;

/** The last day that a workbook can hold, 31 December 9999. */
const LAST_DAY = 2_958_465;

/** A serial number as text, with its `CELL` type. */
interface TimeValue {
  text: string;
  type: number;
}

/**
 * Converts a serial number (a count of days) to ISO 8601: `2024-02-29`, `2024-02-29T13:45:00`, `13:45:00` or `PT36H`.
 * It uses the full value, not the part that the format shows. A date has a time if its value or its format has one.
 * Returns undefined if there is no such day. Times in a workbook have no zone. They are rounded to milliseconds.
 */
export function timeValueOf(serial: number, format: TimeFormat, isFrom1904: boolean): TimeValue | undefined {
  if (format === 'duration') return durationOf(serial);
  if (!(serial >= 0) || serial >= LAST_DAY + 1) return undefined;
  const sinceDayMs = Math.round(serial * DAY_MS);
  const isDay = sinceDayMs >= DAY_MS || (isFrom1904 && format === 'date');
  if (!isDay) return format === 'date' ? undefined : { text: timeOf(sinceDayMs), type: CELL.time };
  const atMs = epochMs(serial, isFrom1904) + sinceDayMs;
  const day = new Date(atMs).toISOString().slice(0, 'yyyy-mm-dd'.length);
  const timeMs = sinceDayMs % DAY_MS;
  if (format === 'date' && timeMs === 0) return { text: day, type: CELL.date };
  return { text: `${day}T${timeOf(timeMs)}`, type: CELL.datetime };
}

function epochMs(serial: number, isFrom1904: boolean): number {
  if (isFrom1904) return EPOCH_1904_MS;
  return serial < FALSE_LEAP_DAY ? EPOCH_1900_MS + DAY_MS : EPOCH_1900_MS;
}

/** Returns `hh:mm:ss`, with milliseconds if there are any. */
function timeOf(sinceMidnightMs: number): string {
  const iso = new Date(sinceMidnightMs).toISOString();
  return iso.slice('yyyy-mm-ddT'.length, iso.endsWith('.000Z') ? -'.000Z'.length : -'Z'.length);
}

/**
 * Writes hours, minutes and seconds, but no days, because a reader may take a day for 23 hours when the clocks change.
 */
function durationOf(serial: number): TimeValue | undefined {
  if (!(Math.abs(serial) < LAST_DAY + 1)) return undefined;
  const ms = Math.round(Math.abs(serial) * DAY_MS);
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = (ms % 60_000) / 1000;
  const parts = [
    hours > 0 ? `${hours}H` : '',
    minutes > 0 ? `${minutes}M` : '',
    seconds > 0 || ms === 0 ? `${seconds}S` : '',
  ];
  return { text: `${serial < 0 && ms > 0 ? '-' : ''}PT${parts.join('')}`, type: CELL.duration };
}
