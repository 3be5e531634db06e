import { CSV_NAME, JSON_LINES_NAME, XLSX_NAME } from '../../src/kinds/table.ts';
import type { TableResult, TableWarning } from '../../src/wire/documents.ts';
import type { NewFile, StepContext } from '../processor.ts';
import { tableOptionsOf } from './inspect.ts';
import type { TableLimits } from '../../src/settings/config.ts';
import { maxOutputBytes } from './limits.ts';
import type { RowSource } from './row-source.ts';
import type { TableShape, TableState } from './state.ts';
import { TablePass, type PassLimits } from './table-pass.ts';

const JSON_LINES: NewFile = { name: JSON_LINES_NAME, format: 'jsonl', type: 'application/jsonl; charset=utf-8' };

/** A column has another type than its first rows suggested. The pass now knows the types of all rows. */
class ColumnsMisread extends Error {
  override readonly name = 'ColumnsMisread';
}

/**
 * Creates the step that reads all rows and publishes them as JSON Lines. If the first pass finds that a column was
 * misread, a second pass uses the facts that the first pass has found.
 */
export function rows(limits: TableLimits) {
  return async (state: TableState, context: StepContext): Promise<void> => {
    const source = state.source.get();
    const shape = state.shape.get();
    const passLimits: PassLimits = {
      maxErrors: tableOptionsOf(context).maxErrors,
      maxOutputBytes: maxOutputBytes(limits, context.upload.sizeBytes),
      maxColumns: limits.maxColumns,
      isSparse: source.isSparse,
    };
    let pass = new TablePass(shape, passLimits);
    const publish = async () => await context.publishFile(JSON_LINES, jsonLines(source, pass, context));
    const jsonLinesFile = await publish().catch(async (error: unknown) => {
      if (!(error instanceof ColumnsMisread)) throw error;
      pass = new TablePass(pass.learned(), passLimits);
      return await publish();
    });
    const warnings = [...source.warnings(), ...warningsOf(shape)];
    state.rows.set({ ...pass.result(), warnings, jsonLines: jsonLinesFile, ...otherForms(jsonLinesFile.url) });
  };
}

/** Returns the links to the CSV and the workbook, which API processes make on request. */
function otherForms(url: string): Pick<TableResult, 'csv' | 'xlsx'> {
  const folder = url.slice(0, -JSON_LINES_NAME.length);
  return { csv: { url: folder + CSV_NAME }, xlsx: { url: folder + XLSX_NAME } };
}

function warningsOf({ rowsAbove }: TableShape): TableWarning[] {
  if (rowsAbove === 0) return [];
  const lines = rowsAbove === 1 ? 'The first row is' : `The first ${rowsAbove} rows are`;
  return [{ code: 'rows_above_table', message: `${lines} above the table (such as a title) and left out.` }];
}

async function* jsonLines(
  source: RowSource,
  pass: TablePass,
  context: StepContext,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const fraction of source.read(pass, context.signal)) {
    yield* pass.encoder.take();
    context.reportFraction(fraction);
  }
  if (pass.encoder.isBroken) throw new ColumnsMisread();
  pass.refuseLoss();
  yield* pass.encoder.takeLast();
}
