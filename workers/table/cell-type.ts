import type { ColumnType } from '../../src/wire/documents.ts';

/** The types that one cell can have. They are powers of two, so that one number holds all types of a column. */
export const CELL = {
  empty: 1,
  integer: 2,
  number: 4,
  boolean: 8,
  date: 16,
  datetime: 32,
  string: 64,
  time: 128,
  duration: 256,
} as const;

/**
 * The longest integer that counts as a number. Longer ones do not fit the numbers of most JSON readers, and are usually
 * identifiers.
 */
const MAX_INTEGER_DIGITS = 15;
const MAX_EXPONENT_DIGITS = 2;
const SHORTEST_DATETIME = 16;
const DATE_LENGTH = 10;

const ZERO = 48;
const NINE = 57;
const MINUS = 45;
const DOT = 46;
const LOWER_CASE = 32;
const [LETTER_E, LETTER_F, LETTER_T] = [101, 102, 116];

/**
 * Returns the type of a cell by its text. Numbers must be valid JSON, dates valid ISO 8601. Other notations are
 * ambiguous and count as text.
 */
export function cellTypeOf(text: string): number {
  if (text.length === 0) return CELL.empty;
  const first = text.charCodeAt(0);
  if (first > NINE) return booleanOf(text, first | LOWER_CASE);
  if (first < ZERO) return first === MINUS ? numberOf(text, 1) : CELL.string;
  return text.length >= DATE_LENGTH && text.charCodeAt(4) === MINUS ? dateOf(text) : numberOf(text, 0);
}

function booleanOf(text: string, first: number): number {
  const isBoolean =
    (text.length === 4 && first === LETTER_T && text.toLowerCase() === 'true') ||
    (text.length === 5 && first === LETTER_F && text.toLowerCase() === 'false');
  return isBoolean ? CELL.boolean : CELL.string;
}

/**
 * Returns the type of a number by the grammar of JSON (RFC 8259, section 6). A number with a leading zero is text: it
 * is an identifier, such as a postal code.
 */
function numberOf(text: string, start: number): number {
  const whole = text.charCodeAt(start) === ZERO ? start + 1 : digitsEnd(text, start);
  if (whole === start) return CELL.string;
  if (whole === text.length) return whole - start <= MAX_INTEGER_DIGITS ? CELL.integer : CELL.string;
  let end = whole;
  if (text.charCodeAt(end) === DOT) {
    end = digitsEnd(text, whole + 1);
    if (end === whole + 1) return CELL.string;
  }
  if ((text.charCodeAt(end) | LOWER_CASE) === LETTER_E) end = exponentEnd(text, end + 1);
  return end === text.length ? CELL.number : CELL.string;
}

/** Returns the end of the exponent, or -1 if there is none or if it is too large for a number. */
function exponentEnd(text: string, at: number): number {
  const start = text[at] === '+' || text[at] === '-' ? at + 1 : at;
  const end = digitsEnd(text, start);
  return end > start && end - start <= MAX_EXPONENT_DIGITS ? end : -1;
}

function digitsEnd(text: string, start: number): number {
  let at = start;
  while (isDigit(text, at)) at += 1;
  return at;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= ZERO && code <= NINE;
}

const DATETIME =
  /^\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/;

function dateOf(text: string): number {
  if (!isDate(text)) return CELL.string;
  if (text.length === DATE_LENGTH) return CELL.date;
  return text.length >= SHORTEST_DATETIME && DATETIME.test(text) ? CELL.datetime : CELL.string;
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Returns whether the first ten characters are a valid date. */
function isDate(text: string): boolean {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  if (text.charCodeAt(7) !== MINUS || year < 0 || month < 1 || day < 1) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (DAYS[month - 1] ?? 0) && (month !== 2 || day < 29 || isLeap);
}

/** Returns the value of the digits, or -1 if one character is not a digit. */
function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    if (!isDigit(text, at)) return -1;
    value = 10 * value + text.charCodeAt(at) - ZERO;
  }
  return value;
}

const TYPES: ReadonlyMap<number, ColumnType> = new Map([
  [CELL.boolean, 'boolean'],
  [CELL.date, 'date'],
  [CELL.datetime, 'datetime'],
  [CELL.time, 'time'],
  [CELL.duration, 'duration'],
]);

/** Returns the type that fits all cells of a column, from the sum of their types. */
export function columnTypeOf(types: number): ColumnType {
  const filled = types & ~CELL.empty;
  if (filled === 0) return 'empty';
  if (filled === CELL.integer) return 'integer';
  if ((filled & ~(CELL.integer | CELL.number)) === 0) return 'number';
  return TYPES.get(filled) ?? 'string';
}
