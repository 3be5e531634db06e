import type { TableColumn } from '../wire/documents.ts';
import type { Cell } from './read-rows.ts';

/** Excel reads a CSV as UTF-8 only if it begins with this mark. */
const BYTE_ORDER_MARK = '\uFEFF';

const LINE_END = '\r\n';

/** The beginning of a text that spreadsheet programs take for a formula. Some also accept the wide forms. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]./su;

const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/u;

/**
 * Yields a table as CSV (RFC 4180) in UTF-8, with a header and a byte order mark. A text that a spreadsheet program
 * would take for a formula gets an apostrophe, so that a file of somebody else cannot run anything.
 */
export async function* csvOf(
  columns: readonly TableColumn[],
  batches: AsyncIterable<Cell[][]>,
): AsyncGenerator<Buffer, void, void> {
  const isText = columns.map(({ type }) => type === 'string' || type === 'duration');
  yield Buffer.from(BYTE_ORDER_MARK + columns.map(({ name }) => quoted(harmless(name))).join(',') + LINE_END);
  for await (const rows of batches) {
    let text = '';
    for (const cells of rows) {
      for (const [column, cell] of cells.entries()) {
        if (column > 0) text += ',';
        if (cell !== null) text += isText[column] === true ? quoted(harmless(cell)) : cell;
      }
      // A line without any character would be skipped by readers.
      text += cells.length === 1 && cells[0] === null ? `""${LINE_END}` : LINE_END;
    }
    yield Buffer.from(text);
  }
}

function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
