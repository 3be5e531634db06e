import type { TableResult } from '../../src/wire/documents.ts';
import { table } from '../../src/kinds/table.ts';
import type { Processor } from '../processor.ts';
import { inspect } from './inspect.ts';
import type { TableLimits } from '../../src/settings/config.ts';
import { TABLE_LIMITS } from './limits.ts';
import { rows } from './rows.ts';
import { createTableState, type TableState } from './state.ts';

/**
 * Creates the processor for tables. Weights are the milliseconds that each step takes on one thread for a CSV of 80 MB
 * with a million rows.
 */
export function createTableProcessor(limits: Partial<TableLimits> = {}): Processor<TableState, TableResult> {
  const all = { ...TABLE_LIMITS, ...limits };
  return {
    kind: table.name,
    steps: [
      { name: 'inspect', weight: 50, run: inspect(all) },
      { name: 'rows', weight: 2000, run: rows(all) },
    ],
    begin: createTableState,
    result: (state) => ({
      kind: 'table',
      hasHeader: state.shape.get().hasHeader,
      ...state.source.get().facts,
      ...state.rows.get(),
    }),
  };
}
