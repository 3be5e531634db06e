import type { CellValue, TableColumn } from '../../src/wire/documents.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { cellTypeOf, columnTypeOf } from './cell-type.ts';
import { columnNames } from './header.ts';
import { filledCells, tooWide } from './sample.ts';
import { RowEncoder } from './row-encoder.ts';
import { RowErrors } from './row-errors.ts';
import { copyOf, decodeBytes, firstCharacters, type ByteText, type RowSink } from './row-source.ts';
import type { TableRows, TableShape } from './state.ts';

/** The number of first rows in a result. */
const MAX_FIRST_ROWS = 20;
const MAX_FIRST_CHARACTERS = 65_536;
const LONGEST_CELL = 200;
const SHORTEST_CELL = 8;
/** The number of bytes of a cell that are kept. A character has at most four bytes. */
const MAX_CELL_BYTES = 4 * LONGEST_CELL;

/** The limits of reading a table once. */
export interface PassLimits {
  maxErrors: number;
  maxOutputBytes: number;
  maxColumns: number;
  /** The same as in `RowSource.isSparse`. */
  isSparse: boolean;
}

/** A table with at most this number of faulty rows is accepted, even if they are most of its rows. */
const FEW_ERRORS = 10;

/**
 * Reads all rows of a table once. It counts them, learns the types, keeps the first rows, and writes all of them as
 * JSON Lines.
 */
export class TablePass implements RowSink {
  readonly encoder: RowEncoder;
  readonly #shape: TableShape;
  readonly #limits: PassLimits;
  readonly #errors: RowErrors;
  readonly #first: FirstRows;
  /** The types of columns that the first rows did not have. */
  #furtherTypes: number[] = [];
  #rowsToSkip: number;
  #rowCount = 0;

  constructor(shape: TableShape, limits: PassLimits) {
    this.#shape = shape;
    this.#limits = limits;
    this.#rowsToSkip = shape.rowsAbove + (shape.hasHeader ? 1 : 0);
    this.#errors = new RowErrors(limits.maxErrors);
    this.#first = new FirstRows(shape.names.length);
    this.encoder = new RowEncoder(shape.names, shape.types, limits.maxOutputBytes);
  }

  get isFull(): boolean {
    return this.encoder.isFull;
  }

  row(cells: readonly ByteText[], line: number, types?: readonly number[]): void {
    if (this.#rowsToSkip > 0) {
      this.#rowsToSkip -= 1;
      return;
    }
    const columns = this.#shape.names.length;
    if (cells.length > columns && filledCells(cells) > columns) {
      if (this.#limits.isSparse) this.#widen(cells, types);
      else this.#reject(cells.length, line, 'too_many_cells');
      return;
    }
    if (cells.length < columns && !this.#limits.isSparse) {
      this.#reject(cells.length, line, 'too_few_cells');
      return;
    }
    this.#rowCount += 1;
    this.#first.add(cells);
    this.encoder.row(cells.length > columns ? cells.slice(0, columns) : cells, types);
  }

  error(line: number, code: string, message: string): void {
    this.#errors.add(line, code, message);
  }

  /** Returns the shape for a second pass. Call it after all rows, if the encoder is broken. */
  learned(): TableShape {
    const { header, names } = this.#shape;
    const further = this.#furtherTypes;
    return {
      ...this.#shape,
      names: further.length === 0 ? names : columnNames(header, names.length + further.length),
      types: Uint16Array.from([...this.encoder.types, ...further]),
    };
  }

  /** Throws `table_damaged` if no row is left, or if most rows were left out, because the table was then misread. */
  refuseLoss(): void {
    const { count, first } = this.#errors;
    if (count === 0 || (this.#rowCount > 0 && (count <= FEW_ERRORS || count <= this.#rowCount))) return;
    const kept =
      this.#rowCount === 0 ? `No row is usable: all ${count}` : `Only ${this.#rowCount} rows are usable: ${count}`;
    const detail =
      `${kept} have errors. The first is in line ${first?.line ?? 1}: ${first?.message ?? ''} ` +
      'Correct the table, or set the option delimiter to the character that separates its cells.';
    throw new UnprocessableError('table_damaged', detail);
  }

  /** Returns the result. Call it after all rows. */
  result(): Omit<TableRows, 'jsonLines' | 'warnings'> {
    const { types, nullCounts } = this.encoder;
    const columns = this.#shape.names.map((name, column): TableColumn => {
      return { name, type: columnTypeOf(types[column] ?? 0), nullCount: nullCounts[column] ?? 0 };
    });
    const { listed: errors, count: errorCount } = this.#errors;
    return {
      columns,
      rowCount: this.#rowCount,
      firstRows: this.#first.values(columns),
      errors,
      errorCount,
      rowsSkipped: this.#shape.rowsAbove + errorCount,
    };
  }

  #reject(cells: number, line: number, code: string): void {
    this.#errors.add(line, code, `The row has ${cells} cells instead of ${this.#shape.names.length}.`);
  }

  /**
   * Adds columns for a row that is wider than the rows before it, because a sheet has as many columns as its widest
   * row. A second pass is then needed.
   */
  #widen(cells: readonly ByteText[], types: readonly number[] | undefined): void {
    if (cells.length > this.#limits.maxColumns) throw tooWide(cells.length, this.#limits.maxColumns);
    const columns = this.#shape.names.length;
    this.encoder.giveUp();
    this.encoder.row(cells.slice(0, columns), types);
    for (let column = columns; column < cells.length; column += 1) {
      const index = column - columns;
      const type = types?.[column] ?? cellTypeOf(cells[column] ?? '');
      this.#furtherTypes[index] = (this.#furtherTypes[index] ?? 0) | type;
    }
  }
}

/** Keeps the first rows of a table, within the size limits. */
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
