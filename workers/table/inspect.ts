import { XLSX_TYPE } from '../../src/kinds/table.ts';
import { tableOptionsSchema, type TableOptions } from '../../src/kinds/table-options.ts';
import type { TableLimits } from '../../src/settings/config.ts';
import type { StepContext } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { openText } from './text/text-source.ts';
import type { RowSource } from './row-source.ts';
import { Sample, tooWide } from './sample.ts';
import { shapeOf } from './shape.ts';
import type { TableState } from './state.ts';
import { openWorkbook } from './workbook/workbook-source.ts';

/** Creates the step that opens the table and determines its columns from the first rows. */
export function inspect(limits: TableLimits) {
  return async (state: TableState, context: StepContext): Promise<void> => {
    const options = tableOptionsOf(context);
    const open = context.upload.type === XLSX_TYPE ? openWorkbook : openText;
    const source = await open({ path: context.inputPath, options, limits }, context.signal);
    const { rows } = await sampleOf(source, limits, context.signal);
    const shape = shapeOf(rows, { isSparse: source.isSparse, header: options.header });
    if (shape.names.length > limits.maxColumns) throw tooWide(shape.names.length, limits.maxColumns);
    state.source.set(source);
    state.shape.set(shape);
  };
}

/** Returns the options, which the intake has checked. */
export function tableOptionsOf({ upload }: Pick<StepContext, 'upload'>): TableOptions {
  return tableOptionsSchema.parse(upload.options);
}

async function sampleOf(source: RowSource, limits: TableLimits, signal: AbortSignal): Promise<Sample> {
  const sample = new Sample(limits.maxColumns);
  for await (const _fraction of source.read(sample, signal)) if (sample.isWhole) break;
  if (sample.rows.length > 0) return sample;
  const fault = sample.firstError === undefined ? source.whenEmpty : `No row can be read. In ${sample.firstError}`;
  throw new UnprocessableError('table_damaged', fault);
}
