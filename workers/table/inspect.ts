import { XLSX_TYPE } from '../../src/kinds/table.ts';
import { tableOptionsSchema, type TableOptions } from '../../src/kinds/table-options.ts';
import type { StepContext } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { CELL, cellTypeOf } from './cell-type.ts';
import { columnNames, isHeader } from './header.ts';
import type { TableLimits } from '../../src/settings/config.ts';
import { openText } from './text/text-source.ts';
import { copyOf, type ByteText, type RowSink, type RowSource } from './row-source.ts';
import type { TableShape, TableState } from './state.ts';
import { openWorkbook } from './workbook/workbook-source.ts';

/** So many rows are looked at before the first is written: a column that is not what it seems costs a second pass. */
const SAMPLED_ROWS = 1000;

/** Opens the table, whatever lies below it, and tells its columns from the first rows. */
export function inspect(limits: TableLimits) {
  return async (state: TableState, context: StepContext): Promise<void> => {
    const options = tableOptionsOf(context);
    const open = context.upload.type === XLSX_TYPE ? openWorkbook : openText;
    const source = await open({ path: context.inputPath, options, limits }, context.signal);
    state.source.set(source);
    state.shape.set(await shapeOf(source, options, limits, context.signal));
  };
}

/** As the intake checked them. */
export function tableOptionsOf({ upload }: Pick<StepContext, 'upload'>): TableOptions {
  return tableOptionsSchema.parse(upload.options);
}

async function shapeOf(
  source: RowSource,
  { header }: TableOptions,
  limits: TableLimits,
  signal: AbortSignal,
): Promise<TableShape> {
  const sample = new Sample(source.isSparse, limits.maxColumns);
  for await (const _fraction of source.read(sample, signal)) if (sample.rowCount >= SAMPLED_ROWS) break;
  const { first, columnCount } = sample;
  if (first === undefined) throw new UnprocessableError('table_damaged', 'The table has no rows.');
  const hasHeader = header ?? (first.cells.length === columnCount && isHeader(first.cells) && !isTyped(first));
  const names = columnNames(hasHeader ? first.cells : undefined, columnCount);
  return { hasHeader, names, types: sample.types(!hasHeader) };
}

interface FirstRow {
  cells: readonly ByteText[];
  types: readonly number[] | undefined;
}

/** What the first rows of a table tell. Only the very first is kept: a thousand of them may be a gigabyte of text. */
class Sample implements RowSink {
  readonly #isSparse: boolean;
  readonly #maxColumns: number;
  /** Of all rows but the first, for each column. */
  readonly #sums: Uint8Array;
  #first: FirstRow | undefined;
  #columnCount = 0;
  #rowCount = 0;

  constructor(isSparse: boolean, maxColumns: number) {
    this.#isSparse = isSparse;
    this.#maxColumns = maxColumns;
    this.#sums = new Uint8Array(maxColumns);
  }

  get first(): FirstRow | undefined {
    return this.#first;
  }

  get columnCount(): number {
    return this.#columnCount;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  row(cells: readonly ByteText[], _line: number, types?: readonly number[]): void {
    if (this.#rowCount >= SAMPLED_ROWS) return;
    this.#rowCount += 1;
    const isFirst = this.#first === undefined;
    if (isFirst || this.#isSparse) {
      refuseTooWide(cells.length, this.#maxColumns);
      this.#columnCount = Math.max(this.#columnCount, cells.length);
    }
    if (isFirst) this.#first = { cells: cells.map(copyOf), types: types?.slice() };
    else addTypes(this.#sums, this.#columnCount, cells, types);
  }

  error(): void {
    // They are counted when the rows are written.
  }

  /** The sums of the types of each column, of the first row too if it is a row like all others. */
  types(countsFirst: boolean): Uint8Array {
    const sums = this.#sums.slice(0, this.#columnCount);
    if (countsFirst && this.#first !== undefined) addTypes(sums, sums.length, this.#first.cells, this.#first.types);
    return sums;
  }
}

function refuseTooWide(columns: number, maxColumns: number): void {
  if (columns <= maxColumns) return;
  throw new UnprocessableError('table_too_large', `The table has ${columns} columns; at most ${maxColumns} are taken.`);
}

/** True where the source knows of a cell that it is no text. */
function isTyped({ types }: FirstRow): boolean {
  return types?.some((type) => type !== CELL.string) === true;
}

/** Rows of another length are no rows of this table. */
function addTypes(
  sums: Uint8Array,
  columnCount: number,
  cells: readonly ByteText[],
  types: readonly number[] | undefined,
): void {
  if (cells.length > columnCount) return;
  for (const [column, cell] of cells.entries())
    sums[column] = (sums[column] ?? 0) | (types?.[column] ?? cellTypeOf(cell));
}
