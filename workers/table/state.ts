import type { TableResult } from '../../src/wire/documents.ts';
import { setOnce, type SetOnce } from '../set-once.ts';
import type { ByteText, RowSource } from './row-source.ts';

/** What the first rows tell of a table. */
export interface TableShape {
  hasHeader: boolean;
  /** Its cells, where there is one. */
  header: readonly ByteText[] | undefined;
  /** Rows above the header, or above the first row. */
  rowsAbove: number;
  /** One for each column. */
  names: readonly string[];
  /** What the columns seem to hold, as sums of cell types; later rows may add to it. */
  types: Uint16Array;
}

/** What the rows turned out to be. */
export type TableRows = Omit<TableResult, 'kind' | 'hasHeader' | keyof RowSource['facts']>;

/** What the steps leave for each other, in the order in which they do. */
export interface TableState {
  readonly source: SetOnce<RowSource>;
  readonly shape: SetOnce<TableShape>;
  readonly rows: SetOnce<TableRows>;
}

/** Empty slots for one attempt. */
export function createTableState(): TableState {
  return { source: setOnce('source'), shape: setOnce('shape'), rows: setOnce('rows') };
}
