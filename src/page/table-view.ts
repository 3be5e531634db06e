import type { CellValue, ColumnType, TableResult, Upload } from '../wire/documents.ts';
import { make } from './dom.ts';
import { numberFormat } from './formatters.ts';
import { copyButton, downloadButton, type Fact, factList, fileLink, linkList } from './result-parts.ts';
import { noteList } from './result-notes.ts';
import type { Words } from './words.ts';

/** Maximum numbers of columns and rows. More do not fit into one line of the page. */
const SHOWN_COLUMNS = 20;
const SHOWN_ROWS = 5;

/**
 * Builds the view of a table's result: facts, columns, first rows, notes on rows that were left out, and links.
 */
export function tableView(upload: Upload, result: TableResult, words: Words): HTMLElement {
  return make(
    'div',
    'result',
    factList(factsOf(result, words)),
    sampleOf(result, words),
    ...hiddenColumnsOf(result, words),
    ...noteList(result, words),
    linksOf(upload, result, words),
  );
}

function factsOf({ format, rowCount, columns, encoding, sheet }: TableResult, { table, facts, locale }: Words): Fact[] {
  const count = numberFormat(locale);
  const known: Fact[] = [
    [table.size, table.sizeOf(count.format(rowCount), count.format(columns.length))],
    [facts.format, format.toUpperCase()],
  ];
  if (encoding !== null) known.push([table.encoding, encoding.toUpperCase()]);
  if (sheet !== null) known.push([table.sheet, sheet]);
  return known;
}

/** Builds a frame with the first rows. It takes the focus, so that the keyboard can scroll it sideways. */
function sampleOf({ columns, firstRows }: TableResult, { table }: Words): HTMLElement {
  const shown = columns.slice(0, SHOWN_COLUMNS);
  const heads = shown.map(({ name, type }) => {
    const head = make('th', classOf(type), make('span', '', name), ' ', make('small', '', table.type(type)));
    head.scope = 'col';
    return head;
  });
  const rows = firstRows
    .slice(0, SHOWN_ROWS)
    .map((cells) =>
      make('tr', '', ...shown.map(({ type }, index) => make('td', classOf(type), textOf(cells[index] ?? null)))),
    );
  const sheet = make('table', '', make('thead', '', make('tr', '', ...heads)), make('tbody', '', ...rows));
  const frame = make('div', 'table-sample', sheet);
  frame.tabIndex = 0;
  frame.setAttribute('role', 'region');
  frame.setAttribute('aria-label', table.firstRows);
  return frame;
}

function hiddenColumnsOf({ columns }: TableResult, { table, locale }: Words): HTMLElement[] {
  const hidden = columns.length - SHOWN_COLUMNS;
  return hidden <= 0 ? [] : [make('p', 'note', table.moreColumns(numberFormat(locale).format(hidden)))];
}

/** Returns a class that aligns columns of numbers right. */
function classOf(type: ColumnType): string {
  return type === 'integer' || type === 'number' ? 'number' : '';
}

/** Digits of a number in the sample. More would only show the rounding of the computer. */
const SHOWN_DIGITS = 12;

function textOf(value: CellValue): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(SHOWN_DIGITS)));
  return value === null ? '' : String(value);
}

function linksOf({ file, links }: Upload, { jsonLines, csv, xlsx }: TableResult, words: Words): HTMLElement {
  const rows = (text: string, url: string): HTMLElement => fileLink({ text, url, saveAs: '' }, words);
  return linkList(
    ...(xlsx ? [rows(words.table.asWorkbook, xlsx.url)] : []),
    ...(csv ? [rows(words.table.asCsv, csv.url)] : []),
    fileLink({ text: words.table.download, url: jsonLines.url, sizeBytes: jsonLines.size, saveAs: '' }, words),
    ...(links.content === undefined
      ? []
      : [downloadButton(words.links.original, { url: links.content, saveAs: file.name })]),
    copyButton((xlsx ?? jsonLines).url, words),
  );
}
