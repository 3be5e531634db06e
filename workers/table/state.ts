import type { TableResult } from '../../src/wire/documents.ts';
import { setOnce, type SetOnce } from '../set-once.ts';
import type { ByteText, RowSource } from './row-source.ts';

/** The structure of a table, determined from its first rows. */
export interface TableShape {
  hasHeader: boolean;
  /** The cells of the header, if there is one. */
  header: readonly ByteText[] | undefined;
  /** The number of rows above the header, or above the first row. */
  rowsAbove: number;
  /** One name per column. */
  names: readonly string[];
  /** The sums of the cell types of each column. Later rows may add types. */
  types: Uint16Array;
}

/** The part of a result that comes from the rows. */
export type TableRows = Omit<TableResult, 'kind' | 'hasHeader' | keyof RowSource['facts']>;

/** The values that steps pass to later steps, in the order in which they are set. */
export interface TableState {
  readonly source: SetOnce<RowSource>;
  readonly shape: SetOnce<TableShape>;
  readonly rows: SetOnce<TableRows>;
}

/** Creates the empty state of one attempt. */
export function createTableState(): TableState {
  return { source: setOnce('source'), shape: setOnce('shape'), rows: setOnce('rows') };
}
