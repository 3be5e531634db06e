import type { CellValue, TableResult } from '../../api.ts';
import { make } from './dom.ts';
import { formatBytes } from './format.ts';
import type { Words } from './words.ts';

/** A line of the page has room for so many. */
const SHOWN_COLUMNS = 20;
const SHOWN_ROWS = 5;
const SHOWN_ERRORS = 5;

/** What a table turned out to be: its columns, its first rows, what is wrong with it, and where all of its rows are. */
export function tableView(result: TableResult, words: Words): HTMLElement {
  return make('div', 'result', factsOf(result, words), sampleOf(result, words), ...errorsOf(result, words), linksOf(result, words));
}

function factsOf({ format, rowCount, columns, encoding }: TableResult, { table, facts, locale }: Words): HTMLElement {
  const count = new Intl.NumberFormat(locale);
  const list = make('dl', 'facts');
  const add = (label: string, value: string): void => {
    list.append(make('div', '', make('dt', 'unseen', label), make('dd', '', value)));
  };
  add(table.size, table.sizeOf(count.format(rowCount), count.format(columns.length)));
  add(facts.format, format.toUpperCase());
  if (encoding !== null) add(table.encoding, encoding);
  return list;
}

/** The keyboard reaches what lies beyond the edge. */
function sampleOf({ columns, firstRows }: TableResult, { table }: Words): HTMLElement {
  const shown = columns.slice(0, SHOWN_COLUMNS);
  const heads = shown.map(({ name, type }) => {
    const head = make('th', '', make('span', '', name), ' ', make('small', '', table.type(type)));
    head.scope = 'col';
    return head;
  });
  const rows = firstRows.slice(0, SHOWN_ROWS).map((cells) => make('tr', '', ...cells.slice(0, SHOWN_COLUMNS).map(cellOf)));
  const sheet = make('table', '', make('thead', '', make('tr', '', ...heads)), make('tbody', '', ...rows));
  const frame = make('div', 'table-sample', sheet);
  frame.tabIndex = 0;
  frame.setAttribute('role', 'region');
  frame.setAttribute('aria-label', table.firstRows);
  return frame;
}

function cellOf(value: CellValue): HTMLElement {
  return make('td', '', value === null ? '' : String(value));
}

function errorsOf({ errors, errorCount }: TableResult, { table, locale }: Words): HTMLElement[] {
  if (errorCount === 0) return [];
  const lines = errors.slice(0, SHOWN_ERRORS).map(({ line, code, message }) => make('li', '', table.error(line, code, message)));
  return [make('p', 'table-errors', table.errors(new Intl.NumberFormat(locale).format(errorCount))), make('ul', 'table-errors', ...lines)];
}

function linksOf({ jsonLines }: TableResult, { table, locale }: Words): HTMLElement {
  const link = make('a', 'pill', table.download);
  link.href = jsonLines.url;
  link.title = formatBytes(jsonLines.size, locale);
  link.download = '';
  return make('ul', 'links', make('li', '', link));
}
