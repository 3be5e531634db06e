import { XLSX_TYPE } from '../../src/kinds/table.ts';
import { tableOptionsSchema, type TableOptions } from '../../src/kinds/table-options.ts';
import type { StepContext } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { CELL, cellTypeOf } from './cell-type.ts';
import { columnNames, isHeader } from './header.ts';
import type { TableLimits } from '../../src/settings/config.ts';
import { openText } from './text/text-source.ts';
import type { ByteText, RowSink, RowSource } from './row-source.ts';
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

interface SampledRow {
  cells: readonly ByteText[];
  types: readonly number[] | undefined;
}

async function shapeOf(
  source: RowSource,
  { header }: TableOptions,
  limits: TableLimits,
  signal: AbortSignal,
): Promise<TableShape> {
  const rows = await sampleOf(source, limits, signal);
  const [first] = rows;
  if (first === undefined) throw new UnprocessableError('table_damaged', 'The table has no rows.');
  const columnCount = source.isSparse ? Math.max(...rows.map(({ cells }) => cells.length)) : first.cells.length;
  const hasHeader = header ?? (first.cells.length === columnCount && isHeader(first.cells) && !isTyped(first));
  const types = new Uint8Array(columnCount);
  for (const row of hasHeader ? rows.slice(1) : rows) addTypes(types, row);
  return { hasHeader, names: columnNames(hasHeader ? first.cells : undefined, columnCount), types };
}

async function sampleOf(source: RowSource, limits: TableLimits, signal: AbortSignal): Promise<SampledRow[]> {
  const rows: SampledRow[] = [];
  const sink: RowSink = {
    row(cells, _line, types) {
      if (rows.length === 0 || source.isSparse) refuseTooWide(cells.length, limits.maxColumns);
      if (rows.length < SAMPLED_ROWS) rows.push({ cells, types });
    },
    // They are counted when the rows are written.
    error: () => undefined,
  };
  for await (const _fraction of source.read(sink, signal)) if (rows.length >= SAMPLED_ROWS) break;
  return rows;
}

function refuseTooWide(columns: number, maxColumns: number): void {
  if (columns <= maxColumns) return;
  throw new UnprocessableError('table_too_large', `The table has ${columns} columns; at most ${maxColumns} are taken.`);
}

/** True where the source knows of a cell that it is no text. */
function isTyped({ types }: SampledRow): boolean {
  return types?.some((type) => type !== CELL.string) === true;
}

/** Rows of another length are no rows of this table. */
function addTypes(sums: Uint8Array, { cells, types }: SampledRow): void {
  if (cells.length > sums.length) return;
  for (const [column, cell] of cells.entries())
    sums[column] = (sums[column] ?? 0) | (types?.[column] ?? cellTypeOf(cell));
}
