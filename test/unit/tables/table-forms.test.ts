import { describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { csvOf } from '../../../src/tables/csv.ts';
import { readRows, type Cell } from '../../../src/tables/read-rows.ts';
import { sheetXml } from '../../../src/tables/sheet-xml.ts';
import { workbookOf } from '../../../src/tables/workbook.ts';
import { XLSX_TYPE } from '../../../src/kinds/table.ts';
import type { ColumnType, TableColumn } from '../../../src/wire/documents.ts';
import { processTable } from '../../helpers/process-table.ts';

function columnsOf(types: Readonly<Record<string, ColumnType>>): TableColumn[] {
  return Object.entries(types).map(([name, type]) => ({ name, type, nullCount: 0 }));
}

async function* batches(...rows: Cell[][]): AsyncGenerator<Cell[][]> {
  for (const row of rows) yield [row];
}

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Readable.from(chunks).toArray());
}

async function rowsIn(text: string, names: readonly string[], chunkBytes = 5): Promise<Cell[][]> {
  const bytes = Buffer.from(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return (await Readable.from(readRows(chunks(), names)).toArray()).flat() as Cell[][];
}

describe('the rows of JSON Lines', () => {
  test('are read in chunks of any size, with every digit of their numbers', async () => {
    const lines = '{"a":"x","b":0.1000,"c":null}\n{"a":null,"b":1234567890123456789,"c":true}\n';
    for (const size of [1, 7, 1000])
      expect(await rowsIn(lines, ['a', 'b', 'c'], size)).toEqual([
        ['x', '0.1000', null],
        [null, '1234567890123456789', 'true'],
      ]);
  });

  test('have texts with escapes, quotes, commas and braces', async () => {
    const values = ['a "quoted" b', 'ends with \\', 'a\nb\tc', '","b":"', '}', '', 'Zürich 港 😀', '\\"', '\u0001'];
    const name = 'na"me, x';
    const lines = values.map((value) => `${JSON.stringify({ [name]: value, n: 1 })}\n`).join('');
    expect(await rowsIn(lines, [name, 'n'])).toEqual(values.map((value) => [value, '1']));
  });

  test.each(['{"b":1}\n', '{"a":1,"b":2}\n', '{"a":"x\n', '{"a":1}'])('reject another form: %j', async (lines) => {
    await expect(rowsIn(lines, ['a'])).rejects.toThrow(/JSON Lines/);
  });
});

describe('the rows as CSV', () => {
  const csv = async (types: Readonly<Record<string, ColumnType>>, ...rows: Cell[][]) =>
    (await bytesOf(csvOf(columnsOf(types), batches(...rows)))).toString();

  test('begin with a byte order mark and the names', async () => {
    expect(await csv({ id: 'integer', 'na,me': 'string' }, ['1', 'a'], [null, 'b "c"'])).toBe(
      '\uFEFFid,"na,me"\r\n1,a\r\n,"b ""c"""\r\n',
    );
  });

  test.each([
    ['=1+1', "'=1+1"],
    ['+49 30 1', "'+49 30 1"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['＝1', "'＝1"],
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
    ['-', '-'],
    ['a=1', 'a=1'],
    ['line\nbreak', '"line\nbreak"'],
    [' padded ', '" padded "'],
  ])('write the text %j as %j, so that it is no formula', async (text, written) => {
    expect(await csv({ a: 'string', b: 'integer' }, [text, '1'])).toBe(`\uFEFFa,b\r\n${written},1\r\n`);
  });

  test('keep negative numbers, and guard names', async () => {
    expect(await csv({ '=x': 'number' }, ['-1.50'])).toBe("\uFEFF'=x\r\n-1.50\r\n");
  });

  test('keep a row whose only cell is empty', async () => {
    expect(await csv({ a: 'string' }, [null], ['x'])).toBe('\uFEFFa\r\n""\r\nx\r\n');
  });
});

describe('the rows as a workbook', () => {
  test('are the same rows when the workbook is read again', async () => {
    const types = {
      id: 'integer',
      share: 'number',
      open: 'boolean',
      day: 'date',
      at: 'datetime',
      time: 'time',
      takes: 'duration',
      text: 'string',
    } as const;
    const rows = [
      ['1', '0.25', 'true', '2024-02-29', '2024-02-29T13:45:30', '13:45:00', 'PT36H', '=1+1 <&> "x"'],
      ['-7', '-1e5', 'false', '1999-12-31', '2000-01-01T00:00:01', '23:59:59', 'PT1M30S', ' 港 _x0041_ \u0001 a\rb\n'],
      [null, null, null, null, null, null, null, 'only this'],
    ];
    const zip = await bytesOf(workbookOf(columnsOf(types), rows.length, batches(...rows)));
    const { result, rows: read } = await processTable(zip, { type: XLSX_TYPE });
    expect(result.columns.map(({ name, type }) => [name, type])).toEqual(Object.entries(types));
    expect(read).toEqual([
      {
        id: 1,
        share: 0.25,
        open: true,
        day: '2024-02-29',
        at: '2024-02-29T13:45:30',
        time: '13:45:00',
        takes: 'PT36H',
        text: '=1+1 <&> "x"',
      },
      {
        id: -7,
        share: -100_000,
        open: false,
        day: '1999-12-31',
        at: '2000-01-01T00:00:01',
        time: '23:59:59',
        takes: 'PT1M30S',
        text: ' 港 _x0041_ \u0001 a\rb\n',
      },
      { id: null, share: null, open: null, day: null, at: null, time: null, takes: null, text: 'only this' },
    ]);
  });

  test('have dates as texts if a workbook cannot hold them as dates', async () => {
    const types = { old: 'date', zone: 'datetime', long: 'string' } as const;
    const xml = await bytesOf(
      sheetXml(columnsOf(types), batches(['1899-12-31', '2024-02-29T13:45:00+02:00', 'x'.repeat(40_000)])),
    );
    expect(xml.toString()).toContain('<t xml:space="preserve">1899-12-31</t>');
    expect(xml.toString()).toContain('<t xml:space="preserve">2024-02-29T13:45:00+02:00</t>');
    expect(/x+<\/t>/.exec(xml.toString())?.[0]).toHaveLength(32_767 + '</t>'.length);
  });

  test('name their columns A to Z, AA to ZZ and AAA', async () => {
    const types = Object.fromEntries(Array.from({ length: 703 }, (_, index) => [`c${index}`, 'integer'] as const));
    const xml = (await bytesOf(sheetXml(columnsOf(types), batches()))).toString();
    for (const place of ['A1', 'Z1', 'AA1', 'ZZ1', 'AAA1']) expect(xml).toContain(`r="${place}"`);
  });

  test('continue in another sheet if there are too many', async () => {
    const rows = Array.from({ length: 5 }, (_, index) => [String(index), 'x']);
    const zip = await bytesOf(workbookOf(columnsOf({ a: 'integer', b: 'string' }), 5, batches(...rows), 2));
    const sheets = await Promise.all(
      ['Rows', 'Rows 2', 'Rows 3'].map((sheet) => processTable(zip, { type: XLSX_TYPE, options: { sheet } })),
    );
    expect(sheets.map((read) => read.rows.map((row) => row['a']))).toEqual([[0, 1], [2, 3], [4]]);
  });

  test('are read no further if nobody reads the rest of the workbook', async () => {
    let isClosed = false;
    async function* endless(): AsyncGenerator<Cell[][]> {
      try {
        while (true) yield [['x'.repeat(1000)]];
      } finally {
        isClosed = true;
      }
    }
    const chunks = workbookOf(columnsOf({ a: 'string' }), 1_000_000, endless());
    for (let index = 0; index < 30; index += 1) await chunks.next();
    await chunks.return();
    expect(isClosed).toBe(true);
  });
});
