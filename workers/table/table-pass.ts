import type { CellValue, TableColumn } from '../../src/wire/documents.ts';
import { columnTypeOf } from './cell-type.ts';
import { firstCharacters } from './first-characters.ts';
import { RowEncoder } from './row-encoder.ts';
import { RowErrors } from './row-errors.ts';
import { copyOf, decodeBytes, type ByteText, type RowSink } from './row-source.ts';
import type { TableRows, TableShape } from './state.ts';

/** As much of a table goes into its result. */
const MAX_FIRST_ROWS = 20;
const MAX_FIRST_CHARACTERS = 65_536;
const LONGEST_CELL = 200;
const SHORTEST_CELL = 8;
/** A character has at most four bytes; a number is read from all of its digits. */
const MAX_CELL_BYTES = 4 * LONGEST_CELL;

/** What one pass over a table is bounded by. */
export interface PassLimits {
  maxErrors: number;
  maxOutputBytes: number;
  /** See `RowSource.isSparse`. */
  isSparse: boolean;
}

/** Goes over all rows of a table once: counts, types, the first ones, and all of them as JSON Lines. */
export class TablePass implements RowSink {
  readonly encoder: RowEncoder;
  readonly #shape: TableShape;
  readonly #isSparse: boolean;
  readonly #errors: RowErrors;
  readonly #first: FirstRows;
  #isHeaderDue: boolean;
  #rowCount = 0;

  constructor(shape: TableShape, limits: PassLimits) {
    this.#shape = shape;
    this.#isHeaderDue = shape.hasHeader;
    this.#isSparse = limits.isSparse;
    this.#errors = new RowErrors(limits.maxErrors);
    this.#first = new FirstRows(shape.names.length);
    this.encoder = new RowEncoder(shape.names, shape.types, limits.maxOutputBytes);
  }

  get isFull(): boolean {
    return this.encoder.isFull;
  }

  row(cells: readonly ByteText[], line: number, types?: readonly number[]): void {
    if (this.#isHeaderDue) {
      this.#isHeaderDue = false;
      return;
    }
    const columns = this.#shape.names.length;
    if (cells.length !== columns && (cells.length > columns || !this.#isSparse)) {
      const code = cells.length > columns ? 'too_many_cells' : 'too_few_cells';
      this.#errors.add(line, code, `The row has ${cells.length} cells where ${columns} are expected.`);
      return;
    }
    this.#rowCount += 1;
    this.#first.add(cells);
    this.encoder.row(cells, types);
  }

  error(line: number, code: string, message: string): void {
    this.#errors.add(line, code, message);
  }

  /** Once all rows have come. */
  result(): Omit<TableRows, 'jsonLines'> {
    const { types, nullCounts } = this.encoder;
    const columns = this.#shape.names.map((name, column): TableColumn => {
      return { name, type: columnTypeOf(types[column] ?? 0), nullCount: nullCounts[column] ?? 0 };
    });
    const { listed: errors, count: errorCount } = this.#errors;
    return { columns, rowCount: this.#rowCount, firstRows: this.#first.values(columns), errors, errorCount };
  }
}

/** The first rows, as many as fit. */
class FirstRows {
  readonly #columnCount: number;
  readonly #longestCell: number;
  readonly #rows: ByteText[][] = [];
  #characters = 0;

  constructor(columnCount: number) {
    this.#columnCount = columnCount;
    this.#longestCell = Math.max(SHORTEST_CELL, Math.min(LONGEST_CELL, Math.floor(MAX_FIRST_CHARACTERS / columnCount)));
  }

  add(cells: readonly ByteText[]): void {
    if (this.#rows.length >= MAX_FIRST_ROWS || this.#characters >= MAX_FIRST_CHARACTERS) return;
    const row = Array.from({ length: this.#columnCount }, (_, column) =>
      copyOf((cells[column] ?? '').slice(0, MAX_CELL_BYTES)),
    );
    this.#rows.push(row);
    this.#characters += row.reduce((sum, cell) => sum + Math.min(cell.length, this.#longestCell), 0);
  }

  values(columns: readonly TableColumn[]): CellValue[][] {
    return this.#rows.map((row) => row.map((cell, column) => this.#valueOf(cell, columns[column]?.type)));
  }

  #valueOf(cell: ByteText, type: TableColumn['type'] | undefined): CellValue {
    if (cell === '') return null;
    if (type === 'integer' || type === 'number') return Number(cell);
    if (type === 'boolean') return cell.toLowerCase() === 'true';
    const text = decodeBytes(cell);
    return text.length <= this.#longestCell ? text : `${firstCharacters(text, this.#longestCell - 1)}…`;
  }
}
