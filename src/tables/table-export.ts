import { ServiceError } from '../errors.ts';
import { CSV_NAME, CSV_TYPE, JSON_LINES_NAME, XLSX_NAME, XLSX_TYPE } from '../kinds/table.ts';
import type { StoredVariant, UploadRecord } from '../record/record-fields.ts';
import type { TableColumn, TableResult } from '../wire/documents.ts';
import { csvOf } from './csv.ts';
import { readRows, type Cell } from './read-rows.ts';
import { workbookOf } from './workbook.ts';

/** A form in which the rows of a table can be downloaded. */
interface Format {
  readonly type: string;
  /** Must change if the same rows get other bytes. */
  readonly version: string;
  write(result: TableResult, rows: AsyncIterable<Cell[][]>): AsyncGenerator<Buffer, void, void>;
}

const FORMATS: Readonly<Record<string, Format>> = {
  [CSV_NAME]: {
    type: `${CSV_TYPE}; charset=utf-8`,
    version: 'csv1',
    write: ({ columns }, rows) => csvOf(columns, rows),
  },
  [XLSX_NAME]: {
    type: XLSX_TYPE,
    version: 'xlsx1',
    write: ({ columns, rowCount }, rows) => workbookOf(columns, rowCount, rows),
  },
};

/** Keeps each part of a workbook below 4 GiB. Programs need far more memory to open such a part. */
const MAX_WORKBOOK_CELLS = 50_000_000;
const MAX_WORKBOOK_BYTES = 1024 ** 3;

/** The rows of a table in another form, made while they are sent. */
export interface TableExport {
  readonly type: string;
  /** The strong entity tag of the form. */
  readonly etag: string;
  /** The stored rows as JSON Lines. */
  readonly source: StoredVariant;
  /** Throws `table_too_large` (422) if the form cannot hold the table. */
  write(lines: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void>;
}

/** True if a table has a form with this name. Its record must be read with the result. */
export function isTableForm(name: string): boolean {
  return Object.hasOwn(FORMATS, name);
}

/** Returns the form of a table with this name. Undefined if the upload is no completed table, or has no such form. */
export function tableExport({ result, variants }: UploadRecord, name: string): TableExport | undefined {
  const format = isTableForm(name) ? FORMATS[name] : undefined;
  const source = variants[JSON_LINES_NAME];
  if (format === undefined || source === undefined || result?.kind !== 'table') return undefined;
  return {
    type: format.type,
    etag: `"${source.sha256}-${format.version}"`,
    source,
    write(lines) {
      if (name === XLSX_NAME) requireFitting(result.columns, result.rowCount, source.size);
      return format.write(
        result,
        readRows(
          lines,
          result.columns.map((column) => column.name),
        ),
      );
    },
  };
}

function requireFitting(columns: readonly TableColumn[], rowCount: number, bytes: number): void {
  if (columns.length * rowCount <= MAX_WORKBOOK_CELLS && bytes <= MAX_WORKBOOK_BYTES) return;
  throw new ServiceError(
    'table_too_large',
    `A workbook can have at most ${MAX_WORKBOOK_CELLS} cells and ${MAX_WORKBOOK_BYTES} bytes of rows. ` +
      `Download ${CSV_NAME} or ${JSON_LINES_NAME}.`,
  );
}
