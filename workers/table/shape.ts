import { CELL } from './cell-type.ts';
import { columnNames } from './header.ts';
import { isHeaderRow } from './header-row.ts';
import type { ByteText } from './row-source.ts';
import { typeSums, type SampledRow } from './sample.ts';
import type { TableShape } from './state.ts';

/**
 * A table below other lines has at least 4 rows and 4 cells. A width counts if at least 0.6 of the rows agree. The
 * check of the intake uses the same values.
 */
const [LEAST_AT_END, LEAST_AGREEMENT] = [4, 0.6];

/** The facts that must be known besides the first rows. */
interface ShapeSettings {
  /** The same as in `RowSource.isSparse`. */
  readonly isSparse: boolean;
  /** The option `header` of the sender. */
  readonly header: boolean | undefined;
}

/**
 * Determines the columns of a table from its first rows. A text has as many columns as most of its rows have cells. A
 * sheet has as many as its widest row. Rows above the header, such as a title, do not belong to the table. At least one
 * row is required.
 */
export function shapeOf(rows: readonly SampledRow[], settings: ShapeSettings): TableShape {
  const columns = columnsOf(rows, settings.isSparse);
  const top = topOf(rows, columns, settings);
  const first = rows[top];
  const isShort = first !== undefined && isShortHeader(rows, top, columns, settings);
  const hasHeader =
    settings.header ?? (first !== undefined && (isShort || isHeaderRow(first, rows.slice(top + 1), columns)));
  const header = hasHeader ? headerCells(first?.cells ?? [], isShort) : undefined;
  return {
    hasHeader,
    header,
    names: columnNames(header, columns),
    types: typeSums(rowsOfTable(rows.slice(hasHeader ? top + 1 : top), columns, settings), columns),
    rowsAbove: top,
  };
}

/** Adds a name to a short header, which lacks one for the column of row names. */
function headerCells(cells: readonly ByteText[], isShort: boolean): readonly ByteText[] {
  return isShort ? ['', ...cells] : cells;
}

function rowsOfTable(rows: readonly SampledRow[], columns: number, { isSparse }: ShapeSettings): SampledRow[] {
  return rows.filter(({ width, filled }) => filled <= columns && (isSparse || width >= columns));
}

function columnsOf(rows: readonly SampledRow[], isSparse: boolean): number {
  if (isSparse) return Math.max(...rows.map(({ width }) => width));
  const width = widthOf(rows);
  const most = Math.max(...rows.filter((row) => row.width === width).map(({ filled }) => filled));
  // In such a table each row ends with a delimiter, but the header does not.
  const above = rows[rows.findIndex((row) => row.width === width) - 1];
  return most < width && above?.width === width - 1 ? width - 1 : width;
}

/** Returns the most frequent width, or the width of the last rows if few rows agree or most have one cell. */
function widthOf(rows: readonly SampledRow[]): number {
  const width = commonest(rows.map((row) => row.width));
  const agreeing = rows.filter((row) => row.width === width).length;
  return width > 1 && agreeing >= LEAST_AGREEMENT * rows.length ? width : Math.max(width, widthAtEnd(rows));
}

/** Returns the width of the last rows if they are a table with a header, below the lines of a report. Otherwise 0. */
function widthAtEnd(rows: readonly SampledRow[]): number {
  const width = rows.at(-1)?.width ?? 0;
  const above = rows.findLastIndex((row) => row.width !== width) + 1;
  const [header, ...body] = rows.slice(above);
  if (header === undefined || width < LEAST_AT_END || body.length + 1 < LEAST_AT_END) return 0;
  return 3 * (body.length + 1) >= rows.length && isHeaderRow(header, body, width) ? width : 0;
}

/** Returns the most frequent value. If several are equally frequent, it is the largest of them. */
function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = 0;
  for (const [value, count] of counts) {
    const most = counts.get(best) ?? 0;
    if (count > most || (count === most && value > best)) best = value;
  }
  return best;
}

/** Returns the index of the header, or of the first row if there is no header. */
function topOf(rows: readonly SampledRow[], columns: number, settings: ShapeSettings): number {
  const widthFits = ({ width, filled }: SampledRow) => filled <= columns && (settings.isSparse || width >= columns);
  const first = rows.findIndex((row, index) => widthFits(row) || isShortHeader(rows, index, columns, settings));
  if (first < 0) return 0;
  if (settings.header === false) return first;
  let top = first;
  while (columns > 1 && isTitle(rows, top, columns) && rows[top + 1]?.cells !== undefined) top += 1;
  const below = rows[top];
  const isTitled = top > first && below !== undefined && isHeaderRow(below, rows.slice(top + 1), columns);
  return isTitled && (below.cells ?? []).filter((cell) => cell !== '').length > 1 ? top : first;
}

/** Returns whether a row has at most one cell that is not empty, in any column, and is no header itself. */
function isTitle(rows: readonly SampledRow[], index: number, columns: number): boolean {
  const row = rows[index];
  if (row === undefined || row.types.filter((type) => type !== CELL.empty).length > 1) return false;
  return !isHeaderRow(row, rows.slice(index + 1), columns);
}

/** Returns whether the header has one name less than there are cells. R writes this for tables with row names. */
function isShortHeader(
  rows: readonly SampledRow[],
  index: number,
  columns: number,
  { isSparse, header }: ShapeSettings,
): boolean {
  const [row, next] = [rows[index], rows[index + 1]];
  if (isSparse || header === false || row?.cells === undefined || next === undefined) return false;
  if (row.width !== columns - 1 || row.filled !== row.width || next.width !== columns) return false;
  const body = rows.slice(index + 1);
  const isOneWord = row.width > 1 || !/\s/.test(row.cells[0] ?? '');
  return (
    isOneWord && isHeaderRow(row, body.map(withoutFirst), columns - 1) && !isHeaderRow(next, body.slice(1), columns)
  );
}

function withoutFirst(row: SampledRow): SampledRow {
  return { ...row, width: row.width - 1, types: row.types.subarray(1) };
}
