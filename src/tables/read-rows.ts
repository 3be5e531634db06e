import { StringDecoder } from 'node:string_decoder';

/** A cell: its text, or its number, `true` or `false` as in the JSON. Null for an empty cell. */
export type Cell = string | null;

const [QUOTE, BACKSLASH] = [34, 92];

/**
 * Reads the rows of a table from its JSON Lines, as the worker writes them: all columns in their order, without white
 * space. Numbers keep every digit, which `JSON.parse` does not do. Yields the rows of each chunk together. Throws if a
 * line has another form.
 */
export async function* readRows(
  chunks: AsyncIterable<Buffer>,
  names: readonly string[],
): AsyncGenerator<Cell[][], void, void> {
  const keys = names.map((name, column) => `${column === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const text = rest + decoder.write(chunk);
    const rows: Cell[][] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      rows.push(cellsOf(text, start, end, keys));
      start = end + 1;
    }
    rest = text.slice(start);
    if (rows.length > 0) yield rows;
  }
  if (rest !== '') throw new Error('the last row of the JSON Lines is not complete');
}

function cellsOf(text: string, start: number, end: number, keys: readonly string[]): Cell[] {
  const cells: Cell[] = [];
  let at = start;
  for (const key of keys) {
    if (!text.startsWith(key, at)) throw new Error('a row of the JSON Lines has other columns than the result');
    const valueAt = at + key.length;
    at = text.charCodeAt(valueAt) === QUOTE ? stringEnd(text, valueAt, end) : wordEnd(text, valueAt, end);
    cells.push(valueOf(text.slice(valueAt, at)));
  }
  if (at !== end - 1) throw new Error('a row of the JSON Lines has more columns than the result');
  return cells;
}

function valueOf(json: string): Cell {
  if (json.charCodeAt(0) !== QUOTE) return json === 'null' ? null : json;
  return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
}

/** Returns the place after the closing quote. */
function stringEnd(text: string, start: number, end: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0 && at < end; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  throw new Error('a text of the JSON Lines is not closed');
}

/** Returns the place of the comma or brace after a number or a word. */
function wordEnd(text: string, start: number, end: number): number {
  const comma = text.indexOf(',', start);
  return comma >= 0 && comma < end ? comma : end - 1;
}
