import type { TableColumn } from '../wire/documents.ts';
import { zipStream, type ZipFile } from '../archive/zip-stream.ts';
import type { Cell } from './read-rows.ts';
import { MAX_TABLE_ROWS, sheetXml } from './sheet-xml.ts';
import { workbookParts } from './workbook-parts.ts';

/** The parts of a workbook need a time. It is always the same, so that each download of a table has the same bytes. */
const MODIFIED_AT = new Date(Date.UTC(1980, 0, 1));

/** Yields a table as an XLSX workbook. Rows that do not fit into a sheet continue in the next one. */
export function workbookOf(
  columns: readonly TableColumn[],
  rowCount: number,
  batches: AsyncIterable<Cell[][]>,
  maxRows = MAX_TABLE_ROWS,
): AsyncGenerator<Buffer, void, void> {
  const sheetCount = Math.max(1, Math.ceil(rowCount / maxRows));
  const parts = workbookParts(sheetCount).map(([name, xml]) => partOf(name, () => textOf(xml)));
  const rows = new RowFeed(batches);
  const sheets = Array.from({ length: sheetCount }, (_, index) =>
    partOf(`xl/worksheets/sheet${index + 1}.xml`, () => sheetXml(columns, rows.take(maxRows))),
  );
  return closing(zipStream([...parts, ...sheets]), rows);
}

function partOf(name: string, open: ZipFile['open']): ZipFile {
  return { name, modifiedAt: MODIFIED_AT, sizeBytes: undefined, open };
}

async function* textOf(xml: string): AsyncGenerator<Buffer, void, void> {
  yield Buffer.from(xml);
}

/** Yields the chunks, then closes the rows. A sheet must not close them, because the next sheet reads from them too. */
async function* closing(chunks: AsyncIterable<Buffer>, rows: RowFeed): AsyncGenerator<Buffer, void, void> {
  try {
    yield* chunks;
  } finally {
    await rows.close();
  }
}

/** Divides rows into parts with a limited number of rows. */
class RowFeed {
  readonly #batches: AsyncIterator<Cell[][]>;
  #rest: Cell[][] = [];

  constructor(batches: AsyncIterable<Cell[][]>) {
    this.#batches = batches[Symbol.asyncIterator]();
  }

  async *take(maxRows: number): AsyncGenerator<Cell[][], void, void> {
    for (let left = maxRows; left > 0;) {
      if (this.#rest.length === 0) {
        const next = await this.#batches.next();
        if (next.done === true) return;
        this.#rest = next.value;
      }
      const rows = this.#rest.slice(0, left);
      this.#rest = this.#rest.slice(left);
      left -= rows.length;
      yield rows;
    }
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}
