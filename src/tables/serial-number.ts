const DAY_MS = 86_400_000;

/** Day 0 of workbooks, for days from 1 March 1900. Earlier days are off by one in some programs, so they are texts. */
const EPOCH_MS = Date.UTC(1899, 11, 30);
const FIRST_DAY = 61;

const DATE_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?$/;
const TIME = /^\d\d:\d\d:\d\d(?:\.\d{1,3})?$/;
const DURATION = /^(-?)PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?$/;

/** Returns a date as a number of days. Undefined for dates that workbooks cannot hold. */
export function serialOfDate(text: string): number | undefined {
  return daysAt(Date.parse(`${text}T00:00Z`));
}

/**
 * Returns a date with a time as a number of days. Undefined if a workbook cannot hold it: it has a time zone or more
 * than three digits after the second.
 */
export function serialOfDateTime(text: string): number | undefined {
  return DATE_TIME.test(text) ? daysAt(Date.parse(`${text.replace(' ', 'T')}Z`)) : undefined;
}

/** Returns a time as a part of a day. */
export function serialOfTime(text: string): number | undefined {
  return TIME.test(text) ? Date.parse(`1970-01-01T${text}Z`) / DAY_MS : undefined;
}

/** Returns a duration such as `PT36H` as a number of days. */
export function serialOfDuration(text: string): number | undefined {
  const [, sign, hours = 0, minutes = 0, seconds = 0] = DURATION.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const ms = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000;
  return ((sign === '-' ? -1 : 1) * ms) / DAY_MS;
}

function daysAt(atMs: number): number | undefined {
  const days = (atMs - EPOCH_MS) / DAY_MS;
  return days >= FIRST_DAY ? days : undefined;
}
