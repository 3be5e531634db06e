import { columnNames } from './header.ts';
import { isHeaderRow } from './header-row.ts';
import type { ByteText } from './row-source.ts';
import { typeSums, type SampledRow } from './sample.ts';
import type { TableShape } from './state.ts';

/** What is known of a table besides its rows. */
export interface ShapeSettings {
  /** See `RowSource.isSparse`. */
  readonly isSparse: boolean;
  /** Of the sender's options. */
  readonly header: boolean | undefined;
}

/**
 * Tells the columns of a table from its first rows: as many as most rows of a text have cells, or the widest row of a
 * sheet. Rows above the header, such as a title, are no rows of the table. Needs one row at least.
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

/** A short header has no name for the first column, which holds the names of rows. */
function headerCells(cells: readonly ByteText[], isShort: boolean): readonly ByteText[] {
  return isShort ? ['', ...cells] : cells;
}

function rowsOfTable(rows: readonly SampledRow[], columns: number, { isSparse }: ShapeSettings): SampledRow[] {
  return rows.filter(({ width, filled }) => filled <= columns && (isSparse || width >= columns));
}

function columnsOf(rows: readonly SampledRow[], isSparse: boolean): number {
  if (isSparse) return Math.max(...rows.map(({ width }) => width));
  const width = commonest(rows.map((row) => row.width));
  const most = Math.max(...rows.filter((row) => row.width === width).map(({ filled }) => filled));
  // Each row ends with a delimiter, and the header does not.
  const above = rows[rows.findIndex((row) => row.width === width) - 1];
  return most === width - 1 && above?.width === most ? most : width;
}

/** The value that is there most often; the greatest of several. */
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

/** The index of the header, or of the first row of a table that has none. */
function topOf(rows: readonly SampledRow[], columns: number, settings: ShapeSettings): number {
  const widthFits = ({ width, filled }: SampledRow) => filled <= columns && (settings.isSparse || width >= columns);
  const first = rows.findIndex((row, index) => widthFits(row) || isShortHeader(rows, index, columns, settings));
  if (first < 0) return 0;
  if (settings.header === false) return first;
  // A title may have been padded with empty cells.
  let top = first;
  while (columns > 1 && (rows[top]?.filled ?? columns) <= 1 && rows[top + 1]?.cells !== undefined) top += 1;
  const below = rows[top];
  const isTitled = top > first && below !== undefined && isHeaderRow(below, rows.slice(top + 1), columns);
  return isTitled && (below.cells ?? []).filter((cell) => cell !== '').length > 1 ? top : first;
}

/** As R writes it: one name less than there are cells, since the names of rows have none. */
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
