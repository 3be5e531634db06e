import { CELL } from './cell-type.ts';
import type { ByteText } from './row-source.ts';
import { typeSums, type SampledRow } from './sample.ts';

const TEXT = CELL.string;
const DIGIT = /\d/;
const EARLIEST_YEAR = 1800;
const LATEST_YEAR = 2199;
const FEWEST_PERIODS = 2;

/** A column that has a name or a value. */
interface UsedColumn {
  readonly name: ByteText;
  /** The `CELL` type of the name. */
  readonly type: number;
  /** All `CELL` types that its values have, in one number. */
  readonly sum: number;
  readonly column: number;
}

/**
 * Returns whether a row holds the names of the columns, judging by the rows below it. Columns without a name and
 * without a value do not count, because a table may begin in the middle of a sheet. One of these must be true:
 * - It has text over columns of numbers, dates or booleans.
 * - It has a name for each column, and a name without a digit is over texts that all have one, such as `1.000,00 €`.
 * - It has an empty corner over a column that is never empty.
 * - It has years or dates in order, over values that are neither.
 * - All columns are text, and the texts of the row differ from each other.
 */
export function isHeaderRow(row: SampledRow, body: readonly SampledRow[], columns: number): boolean {
  const { cells = [], types } = row;
  const sums = typeSums(body, columns);
  const all = cells
    .slice(0, columns)
    .map((cell, column) => ({ name: cell.trim(), type: types[column] ?? CELL.empty, sum: sums[column] ?? 0, column }));
  const used = all.filter(({ name, sum }) => body.length === 0 || name !== '' || (sum & ~CELL.empty) !== 0);
  const width = columns - (all.length - used.length);
  const names = used.map(({ name }) => name).filter((name) => name !== '');
  if (names.length === 0 || names.length < width / 2) return false;
  if (!used.every(({ type }) => type === TEXT || type === CELL.empty)) return arePeriods(used);
  const isComplete = names.length === width && new Set(names).size === width;
  if (body.length === 0) return isComplete;
  if (isComplete || used.some(isTyped) || hasEmptyCorner(used)) return true;
  return names.length === width && used.some(({ name, column }) => !DIGIT.test(name) && haveDigits(body, column));
}

/**
 * Returns whether a column has several texts, each with a digit. Later rows do not count, because their texts are not
 * kept.
 */
function haveDigits(body: readonly SampledRow[], column: number): boolean {
  const texts = body.flatMap(({ cells }) => cells?.[column] ?? []).filter((text) => text !== '');
  return texts.length > 1 && texts.every((text) => DIGIT.test(text));
}

function isTyped({ name, sum }: UsedColumn): boolean {
  const filled = sum & ~CELL.empty;
  return name !== '' && filled !== 0 && (filled & TEXT) === 0;
}

/**
 * Returns whether only the first column has no name, but has a value in each row. pandas and R write row names this
 * way.
 */
function hasEmptyCorner([corner, ...others]: readonly UsedColumn[]): boolean {
  const areNames =
    others.every(({ name }) => name !== '') && new Set(others.map(({ name }) => name)).size === others.length;
  return corner?.name === '' && areNames && (corner.sum & CELL.empty) === 0;
}

/** Returns whether the row is like `country, 2020, 2021`, or has a month over each column. */
function arePeriods(columns: readonly UsedColumn[]): boolean {
  const periods = columns.filter(({ type }) => type !== TEXT);
  const values = periods.map(({ name, type }) => (type === CELL.date ? Date.parse(name) : yearOf(name)));
  const isInOrder =
    values.every((value, index) => index === 0 || value > (values[index - 1] ?? value)) ||
    values.every((value, index) => index === 0 || value < (values[index - 1] ?? value));
  const isLabelled = columns[0]?.type === TEXT;
  if (!isLabelled || periods.length < FEWEST_PERIODS || !isInOrder || values.some(Number.isNaN)) return false;
  return periods.every(({ sum }) => (sum & (TEXT | CELL.date)) === 0);
}

function yearOf(name: ByteText): number {
  const year = /^\d{4}$/.test(name) ? Number(name) : Number.NaN;
  return year >= EARLIEST_YEAR && year <= LATEST_YEAR ? year : Number.NaN;
}
