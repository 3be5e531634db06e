import type { TimeFormat } from './styles.ts';

const DAY_MS = 86_400_000;

/** Day 0 of the calendar that Lotus began and Excel goes on with, for days after the one that never was. */
const EPOCH_1900_MS = Date.UTC(1899, 11, 30);
const EPOCH_1904_MS = Date.UTC(1904, 0, 1);

/** Lotus took 1900 for a leap year: day 60 is 29 February of it, and the days before stand one off. */
const DAY_THAT_NEVER_WAS = 60;

/** The last that a workbook can hold, 31 December 9999. */
const LAST_DAY = 2_958_465;

/**
 * A count of days as ISO 8601: `2024-02-29`, `2024-02-29T13:45:00`, `13:45:00`; undefined for what is no such day.
 * Times have no zone in a workbook, and so none here; they are rounded to milliseconds.
 */
export function serialToIso(serial: number, format: TimeFormat, isFrom1904: boolean): string | undefined {
  if (!(serial >= 0) || serial >= LAST_DAY + 1) return undefined;
  if (format === 'time') return serial < 1 ? timeOf(Math.round(serial * DAY_MS)) : undefined;
  if (!isFrom1904 && serial < 1) return undefined;
  const atMs = epochMs(serial, isFrom1904) + Math.round(serial * DAY_MS);
  const iso = new Date(atMs).toISOString();
  return format === 'date'
    ? iso.slice(0, 'yyyy-mm-dd'.length)
    : `${iso.slice(0, 'yyyy-mm-dd'.length)}T${timeOf(((atMs % DAY_MS) + DAY_MS) % DAY_MS)}`;
}

function epochMs(serial: number, isFrom1904: boolean): number {
  if (isFrom1904) return EPOCH_1904_MS;
  return serial < DAY_THAT_NEVER_WAS ? EPOCH_1900_MS + DAY_MS : EPOCH_1900_MS;
}

/** `hh:mm:ss`, with milliseconds where there are any. */
function timeOf(sinceMidnightMs: number): string {
  const iso = new Date(sinceMidnightMs % DAY_MS).toISOString();
  return iso.slice('yyyy-mm-ddT'.length, iso.endsWith('.000Z') ? -'.000Z'.length : -'Z'.length);
}
