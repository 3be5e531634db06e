import { CELL } from './cell-type.ts';
import type { ByteText } from './row-source.ts';
import { typeSums, type SampledRow } from './sample.ts';

const TEXT = CELL.string;
const EARLIEST_YEAR = 1800;
const LATEST_YEAR = 2199;
const FEWEST_PERIODS = 2;

/**
 * Returns whether a row holds the names of the columns, judging by the rows below it. It does if one of these is true:
 * - It has text over columns of numbers, dates or booleans.
 * - It has an empty corner over a column that is never empty.
 * - It has years or dates in order, over values that are neither.
 * - All columns are text, and the texts of the row differ from each other.
 */
export function isHeaderRow(row: SampledRow, body: readonly SampledRow[], columns: number): boolean {
  const { cells = [], types } = row;
  const names = cells.slice(0, columns).map((cell) => cell.trim());
  const named = names.filter((name) => name !== '').length;
  if (named === 0 || named < columns / 2) return false;
  const sums = typeSums(body, columns);
  if (!types.every((type) => type === TEXT || type === CELL.empty)) return arePeriods(row, names, sums);
  const isComplete = named === columns && new Set(names).size === columns;
  if (body.length === 0) return isComplete;
  return isComplete || hasTypedColumn(names, sums) || hasEmptyCorner(names, sums);
}

function hasTypedColumn(names: readonly ByteText[], sums: Uint16Array): boolean {
  return names.some((name, column) => {
    const filled = (sums[column] ?? 0) & ~CELL.empty;
    return name !== '' && filled !== 0 && (filled & TEXT) === 0;
  });
}

/** pandas and R write row names this way. */
function hasEmptyCorner(names: readonly ByteText[], sums: Uint16Array): boolean {
  const [corner, ...others] = names;
  const areNames = others.every((name) => name !== '') && new Set(others).size === others.length;
  return corner === '' && areNames && ((sums[0] ?? 0) & CELL.empty) === 0;
}

/** Returns whether the row is like `country, 2020, 2021`, or has a month over each column. */
function arePeriods({ types }: SampledRow, names: readonly ByteText[], sums: Uint16Array): boolean {
  const periods = names.map((name, column) => ({ name, column })).filter(({ column }) => types[column] !== TEXT);
  const values = periods.map(({ name, column }) => (types[column] === CELL.date ? Date.parse(name) : yearOf(name)));
  const isInOrder =
    values.every((value, index) => index === 0 || value > (values[index - 1] ?? value)) ||
    values.every((value, index) => index === 0 || value < (values[index - 1] ?? value));
  if (types[0] !== TEXT || periods.length < FEWEST_PERIODS || !isInOrder || values.some(Number.isNaN)) return false;
  return periods.every(({ column }) => ((sums[column] ?? 0) & (TEXT | CELL.date)) === 0);
}

function yearOf(name: ByteText): number {
  const year = /^\d{4}$/.test(name) ? Number(name) : Number.NaN;
  return year >= EARLIEST_YEAR && year <= LATEST_YEAR ? year : Number.NaN;
}
