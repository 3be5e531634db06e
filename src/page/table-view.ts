import type { CellValue, ColumnType, TableResult, Upload } from '../wire/documents.ts';
import { make } from './dom.ts';
import { copyButton, type Fact, factList, fileLink, linkList } from './result-parts.ts';
import type { Words } from './words.ts';

/** A line of the page has room for so many. */
const SHOWN_COLUMNS = 20;
const SHOWN_ROWS = 5;
const SHOWN_ERRORS = 5;

/** What a table turned out to be: its columns, its first rows, what is wrong with it, and where all of its rows are. */
export function tableView(upload: Upload, result: TableResult, words: Words): HTMLElement {
  return make(
    'div',
    'result',
    factList(factsOf(result, words)),
    sampleOf(result, words),
    ...errorsOf(result, words),
    linksOf(upload, result, words),
  );
}

function factsOf({ format, rowCount, columns, encoding, sheet }: TableResult, { table, facts, locale }: Words): Fact[] {
  const count = new Intl.NumberFormat(locale);
  const known: Fact[] = [
    [table.size, table.sizeOf(count.format(rowCount), count.format(columns.length))],
    [facts.format, format.toUpperCase()],
  ];
  if (encoding !== null) known.push([table.encoding, encoding.toUpperCase()]);
  if (sheet !== null) known.push([table.sheet, sheet]);
  return known;
}

/** The keyboard reaches what lies beyond the edge. */
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

/** Numbers stand under each other by their last digit. */
function classOf(type: ColumnType): string {
  return type === 'integer' || type === 'number' ? 'number' : '';
}

function textOf(value: CellValue): string {
  return value === null ? '' : String(value);
}

function errorsOf({ errors, errorCount }: TableResult, { table, locale }: Words): HTMLElement[] {
  if (errorCount === 0) return [];
  const lines = errors
    .slice(0, SHOWN_ERRORS)
    .map(({ line, code, message }) => make('li', '', table.error(line, code, message)));
  const count = new Intl.NumberFormat(locale).format(errorCount);
  return [make('div', 'table-errors', make('p', '', table.errors(count)), make('ul', '', ...lines))];
}

function linksOf({ file, links }: Upload, { jsonLines }: TableResult, words: Words): HTMLElement {
  const shown = [
    fileLink({ text: words.table.download, url: jsonLines.url, sizeBytes: jsonLines.size, saveAs: '' }, words),
  ];
  if (links.content !== undefined)
    shown.push(
      fileLink({ text: words.links.original, url: links.content, sizeBytes: file.size, saveAs: file.name }, words),
    );
  return linkList(...shown, copyButton(jsonLines.url, words));
}
