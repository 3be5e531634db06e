import type { ColumnType, TableColumn } from '../wire/documents.ts';
import type { Cell } from './read-rows.ts';
import { serialOfDate, serialOfDateTime, serialOfDuration, serialOfTime } from './serial-number.ts';
import { STYLE, XML_HEAD } from './workbook-parts.ts';

/** Maximum number of rows of a sheet, with the header. */
const MAX_SHEET_ROWS = 1_048_576;

/** Maximum number of rows of a table in one sheet. */
export const MAX_TABLE_ROWS = MAX_SHEET_ROWS - 1;

/** Maximum number of characters of a cell. Programs repair or reject a workbook with longer ones. */
const MAX_CELL_LENGTH = 32_767;

/** Characters that XML cannot have, which workbooks escape. A text in the form of an escape is escaped too. */
const UNWRITABLE = /(?![\t\n])\p{Cc}|[\uFFFE\uFFFF]|_(?=x[0-9A-Fa-f]{4}_)/gu;
const SPECIAL = /[&<>]/g;
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const HEAD =
  `${XML_HEAD}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews>` +
  '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' +
  '</sheetView></sheetViews><sheetData>';
const END = '</sheetData></worksheet>';

/** Writes the values of one column. */
type WriteCell = (place: string, value: string) => string;

/** Yields one sheet: the names of the columns, which stay in view, and the rows. Dates become dates of the workbook. */
export async function* sheetXml(
  columns: readonly TableColumn[],
  batches: AsyncIterable<Cell[][]>,
): AsyncGenerator<Buffer, void, void> {
  const letters = columns.map((_, column) => lettersOf(column));
  const writers = columns.map(({ type }) => WRITERS[type] ?? writeText);
  const header = columns.map(({ name }, column) => writeText(`${letters[column]}1`, name, STYLE.header)).join('');
  yield Buffer.from(`${HEAD}<row r="1">${header}</row>`);
  let row = 1;
  for await (const rows of batches) {
    let xml = '';
    for (const cells of rows) {
      row += 1;
      xml += `<row r="${row}">`;
      for (const [column, cell] of cells.entries())
        if (cell !== null) xml += (writers[column] ?? writeText)(`${letters[column]}${row}`, cell);
      xml += '</row>';
    }
    yield Buffer.from(xml);
  }
  yield Buffer.from(END);
}

function writeText(place: string, text: string, style = 0): string {
  const styled = style === 0 ? '' : ` s="${style}"`;
  return `<c r="${place}"${styled} t="inlineStr"><is><t xml:space="preserve">${xmlText(text)}</t></is></c>`;
}

function writeNumber(place: string, text: string): string {
  return `<c r="${place}"><v>${text}</v></c>`;
}

function writeBoolean(place: string, text: string): string {
  return `<c r="${place}" t="b"><v>${text === 'true' ? 1 : 0}</v></c>`;
}

/** Writes values as numbers. If a workbook cannot hold a value as a number, it stays a text. */
function writeSerial(serialOf: (text: string) => number | undefined, style: number): WriteCell {
  return (place, text) => {
    const serial = serialOf(text);
    return serial === undefined ? writeText(place, text) : `<c r="${place}" s="${style}"><v>${serial}</v></c>`;
  };
}

const WRITERS: Readonly<Partial<Record<ColumnType, WriteCell>>> = {
  integer: writeNumber,
  number: writeNumber,
  boolean: writeBoolean,
  date: writeSerial(serialOfDate, STYLE.date),
  datetime: writeSerial(serialOfDateTime, STYLE.dateTime),
  time: writeSerial(serialOfTime, STYLE.time),
  duration: writeSerial(serialOfDuration, STYLE.duration),
};

function xmlText(text: string): string {
  const cut = text.length > MAX_CELL_LENGTH ? text.slice(0, MAX_CELL_LENGTH) : text;
  return cut
    .replace(UNWRITABLE, (character) => `_x${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`)
    .replace(SPECIAL, (character) => ENTITIES[character] ?? '');
}

/** Returns `A` for 0, `Z` for 25, `AA` for 26. */
function lettersOf(column: number): string {
  const last = String.fromCharCode(65 + (column % 26));
  return column < 26 ? last : lettersOf(Math.floor(column / 26) - 1) + last;
}
