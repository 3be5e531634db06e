import type { ByteText, RowSink } from './row-source.ts';
import { copyOf } from './row-source.ts';
import { CELL, cellTypeOf } from './cell-type.ts';
import { UnprocessableError } from '../unprocessable-error.ts';

/** This many rows are read before the first is written. A column that is misread after them costs a second pass. */
const SAMPLED_ROWS = 1000;

/**
 * A title and a header are searched in this number of rows. Only the texts of these rows are kept, shortened and
 * limited in total.
 */
const KEPT_ROWS = 50;
const KEPT_CELL_BYTES = 512;
const KEPT_BYTES = 4 * 1024 * 1024;

/** One of the first rows. */
export interface SampledRow {
  readonly line: number;
  /** The number of cells. */
  readonly width: number;
  /** The number of cells without the empty ones at the end. */
  readonly filled: number;
  /** The `CELL` type of each cell. */
  readonly types: Uint16Array;
  /** Undefined for rows whose texts are not kept. */
  readonly cells: readonly ByteText[] | undefined;
}

/** Collects the first rows of a table. It keeps the texts of only a few, because a thousand rows may be a gigabyte. */
export class Sample implements RowSink {
  readonly rows: SampledRow[] = [];
  readonly #maxColumns: number;
  #keptBytes = 0;
  #firstError: string | undefined;

  constructor(maxColumns: number) {
    this.#maxColumns = maxColumns;
  }

  /** True if no more rows are needed. */
  get isWhole(): boolean {
    return this.rows.length >= SAMPLED_ROWS;
  }

  /** The error of the first row that could not be read. */
  get firstError(): string | undefined {
    return this.#firstError;
  }

  row(cells: readonly ByteText[], line: number, types?: readonly number[]): void {
    if (this.isWhole) return;
    if (this.rows.length === 0 && cells.length > this.#maxColumns) throw tooWide(cells.length, this.#maxColumns);
    const known = cells.slice(0, this.#maxColumns);
    this.rows.push({
      line,
      width: cells.length,
      filled: filledCells(cells),
      types: Uint16Array.from(known, (cell, column) => types?.[column] ?? cellTypeOf(cell)),
      cells: this.#kept(known),
    });
  }

  error(line: number, _code: string, message: string): void {
    this.#firstError ??= `line ${line}: ${message}`;
  }

  #kept(cells: readonly ByteText[]): ByteText[] | undefined {
    if (this.rows.length >= KEPT_ROWS || this.#keptBytes >= KEPT_BYTES) return undefined;
    const kept = cells.map((cell) => copyOf(cell.slice(0, KEPT_CELL_BYTES)));
    this.#keptBytes += kept.reduce((sum, { length }) => sum + length, 0);
    return kept;
  }
}

/** Returns the number of cells without the empty ones at the end of a row. */
export function filledCells(cells: readonly ByteText[]): number {
  let filled = cells.length;
  while (filled > 0 && cells[filled - 1] === '') filled -= 1;
  return filled;
}

/** The error for a table with more columns than the limit. */
export function tooWide(columns: number, maxColumns: number): UnprocessableError {
  return new UnprocessableError(
    'table_too_large',
    `The table has ${columns} columns. At most ${maxColumns} are accepted. Remove columns and upload it again.`,
  );
}

/** Returns the sum of the cell types of each column. */
export function typeSums(rows: readonly SampledRow[], columns: number): Uint16Array {
  const sums = new Uint16Array(columns);
  for (const { types } of rows) {
    for (let column = 0; column < Math.min(columns, types.length); column += 1)
      sums[column] = (sums[column] ?? 0) | (types[column] ?? CELL.empty);
  }
  return sums;
}
