import '../../../helpers/one-realm.ts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fakeContext, withFile } from '../../../helpers/process-picture.ts';
import { processTable, type TableToProcess } from '../../../helpers/process-table.ts';
import { runPipeline } from '../../../../workers/pipeline.ts';
import { createTableProcessor } from '../../../../workers/table/processor.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';

async function problemOf(bytes: Buffer | string, more: TableToProcess = {}): Promise<UnprocessableError> {
  const error = await processTable(bytes, more).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof UnprocessableError) return error;
  throw new Error('it was not refused', { cause: error });
}

const TEXT = 'Stadt,Größe\nZürich,4\nKöln,\n';
const ROWS = [
  { Stadt: 'Zürich', Größe: 4 },
  { Stadt: 'Köln', Größe: null },
];

describe('encoding of a table', () => {
  const utf16 = Buffer.from(TEXT, 'utf16le');
  const marked = Buffer.from(`\ufeff${TEXT}`, 'utf16le');

  test.each([
    ['utf-8', Buffer.from(TEXT)],
    ['utf-8', Buffer.from(`\ufeff${TEXT}`)],
    ['utf-16le', utf16],
    ['utf-16le', marked],
    ['utf-16be', Buffer.from(utf16).swap16()],
    ['utf-16be', Buffer.from(marked).swap16()],
    ['windows-1252', Buffer.from(TEXT, 'latin1')],
  ])('may be %s, with or without a byte order mark', async (encoding, bytes) => {
    const { result, rows } = await processTable(bytes);
    expect([result.encoding, rows, result.columns.map(({ name }) => name)]).toEqual([
      encoding,
      ROWS,
      ['Stadt', 'Größe'],
    ]);
  });

  test('is detected from the whole text, because other encodings often start like UTF-8', async () => {
    const { result, rows } = await processTable(
      Buffer.from(`id,name\n${`1,${'a'.repeat(60)}\n`.repeat(20_000)}2,Grüße €\n`.replace('€', '\x80'), 'latin1'),
    );
    expect([result.encoding, rows.at(-1)]).toEqual(['windows-1252', { id: 2, name: 'Grüße €' }]);
  });

  test('keeps a character that is split between two chunks', async () => {
    for (const shift of [0, 1, 2, 3]) {
      // The text is longer than the chunks of both passes, of which the first one reads 1 MiB at a time.
      const { result, rows } = await processTable(`id,name\n${'x'.repeat(shift)},${'😀'.repeat(270_000)}\n`, {
        limits: { maxLineBytes: 2_000_000 },
      });
      expect([result.encoding, String(rows[0]?.['name']).length]).toEqual(['utf-8', 540_000]);
    }
  });

  test.each([
    [
      'a zero byte',
      Buffer.concat([Buffer.from(`a,b\n${'1,2\n'.repeat(30_000)}`), Buffer.from([0]), Buffer.from(',3\n')]),
      /zero bytes/,
    ],
    [
      'bytes that do not match its byte order mark',
      Buffer.concat([Buffer.from('\ufeffa,b\n1,2\n'), Buffer.from([0xe9, 0x2c, 0x31])]),
      /byte order mark/,
    ],
    ['half a character of UTF-16', Buffer.concat([marked, Buffer.from([0x31])]), /incomplete/],
    ['control characters', Buffer.from('a,b\n1,\u0007\n'), /do not occur in text/],
  ])('rejects a text with %s', async (_what, bytes, words) => {
    const { code, detail } = await problemOf(bytes, { options: { delimiter: ',' } });
    expect([code, detail]).toEqual(['table_damaged', expect.stringMatching(words)]);
  });
});

describe('columns of a table', () => {
  test('are named by a header that consists of names', async () => {
    const { result } = await processTable('id, first  name ,id,,,x\u0000y\n1,2,3,4,5,6\n'.replace('\u0000', '\u0085'), {
      options: { header: true },
    });
    expect(result.columns.map(({ name }) => name)).toEqual(['id', 'first name', 'id_2', 'column_4', 'column_5', 'x y']);
  });

  test.each([
    ['names and rows', 'id,name\n1,Ada\n', true],
    ['numbers', '1,2\n3,4\n', false],
    ['a number among names', 'id,2024\n1,2\n', false],
    ['a name twice over numbers', 'x,x\n1,2\n', true],
    ['a name twice over texts', 'x,x\ny,z\n', false],
    ['one name over numbers', 'id,\n1,2\n', true],
    ['no name over names of rows', ',name\n0,Ada\n1,Grace\n', true],
    ['years over numbers', 'country,2020,2021\nChina,1411,1412\nIndia,1396,1408\n', true],
    ['years in no order', 'country,2021,2020,2022\nChina,1411,1412,3\n', false],
    ['one name of three', 'Report,,\n1,2,3\n', false],
    ['names alone', 'id,name\n', true],
  ])('are named by a first row of %s', async (_what, text, hasHeader) => {
    expect((await processTable(text, { options: { delimiter: ',' } })).result.hasHeader).toBe(hasHeader);
  });

  test('follow the option header of the sender', async () => {
    expect((await processTable('1,2\n3,4\n', { options: { header: true } })).result).toMatchObject({
      columns: [{ name: '1' }, { name: '2' }],
      rowCount: 1,
    });
    expect((await processTable('a,b\n3,4\n', { options: { header: false } })).result).toMatchObject({
      columns: [{ name: 'column_1', type: 'string' }, { name: 'column_2' }],
      rowCount: 2,
    });
  });

  test('have names of limited length, because every row repeats them', async () => {
    const { result } = await processTable(`${'n'.repeat(500)},${'n'.repeat(500)}\n1,2\n`, {
      options: { header: true },
    });
    expect(result.columns.map(({ name }) => name.length)).toEqual([128, 130]);
  });

  test('have names of at most 128 bytes if there are more than 200 columns', async () => {
    const names = Array.from({ length: 201 }, (_, index) => `${index}${'漢'.repeat(100)}`);
    const few = await processTable(`${names.slice(0, 200).join(',')}\n${','.repeat(199)}\n`, {
      options: { header: true, delimiter: ',' },
    });
    const many = await processTable(`${names.join(',')}\n${','.repeat(200)}\n`, {
      options: { header: true, delimiter: ',' },
    });
    expect(few.result.columns[7]?.name).toBe(`7${'漢'.repeat(100)}`);
    expect(many.result.columns[7]?.name).toBe(`7${'漢'.repeat(42)}`);
  });

  test('have names that look different and are safe as member names', async () => {
    const header = 'na\u200bme,na\u202eme,\u2066na\u200d\ufeffme,__proto__,👩\u200d💻,می\u200cروم';
    const { result, rows } = await processTable(`${header}\n1,2,3,4,5,6\n`, { options: { header: true } });
    expect(result.columns.map(({ name }) => name)).toEqual([
      'name',
      'name_2',
      'name_3',
      '_proto_',
      '👩\u200d💻',
      'می\u200cروم',
    ]);
    expect(Object.values(rows[0] ?? {})).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('are rejected if there are 100,000', async () => {
    const header = Array.from({ length: 100_000 }, (_, index) => `c${index}`).join(',');
    expect(await problemOf(`${header}\n${header}\n`)).toMatchObject({
      code: 'table_too_large',
      detail: expect.stringContaining('100000 columns. At most 2000'),
    });
  });
});

describe('types of columns', () => {
  test('follow from all rows, not only from the first thousand', async () => {
    const { result, rows } = await processTable(
      `n,b,d,e\n${'1,true,2024-01-01,\n'.repeat(5000)}2.5,x,2024-01-01T10:00,7\n`,
    );
    expect(result.columns).toEqual([
      { name: 'n', type: 'number', nullCount: 0 },
      { name: 'b', type: 'string', nullCount: 0 },
      { name: 'd', type: 'string', nullCount: 0 },
      { name: 'e', type: 'integer', nullCount: 5000 },
    ]);
    expect([rows[0], rows.at(-1)]).toEqual([
      { n: 1, b: 'true', d: '2024-01-01', e: null },
      { n: 2.5, b: 'x', d: '2024-01-01T10:00', e: 7 },
    ]);
    expect(result.firstRows[0]).toEqual([1, 'true', '2024-01-01', null]);
    expect([result.rowCount, rows.length]).toEqual([5001, 5001]);
  });

  test('keep every digit of a number', async () => {
    const { jsonLines } = await processTable('a,b\n0.1000,1e5\n123456789012345,-0.0\n');
    expect(jsonLines).toBe('{"a":0.1000,"b":1e5}\n{"a":123456789012345,"b":-0.0}\n');
  });

  test('match every value of the JSON Lines, which keep the text of the cells', async () => {
    const cell = fc.oneof(
      fc.constantFrom('', '0', '12', '-3.5', 'true', 'FALSE', '2024-01-31', '007', '1e5'),
      fc.string({ unit: 'grapheme', maxLength: 6 }).map((text) => text.replaceAll(/[\0\ufeff\ufffe\uffff]/g, '')),
    );
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((columns) =>
        fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 8 }),
      );
    await fc.assert(
      fc.asyncProperty(table, async (cells) => {
        const text = cells.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join('\n');
        const { result, rows } = await processTable(text, { options: { delimiter: ',', header: false } });
        const types = result.columns.map(({ type }) => type);
        expect(rows.map((row) => Object.values(row))).toEqual(
          cells.map((row) => row.map((cell, column) => valueOf(cell, types[column]))),
        );
        expect(result.firstRows).toEqual(rows.map((row) => Object.values(row)));
      }),
      { numRuns: 60 },
    );
  });
});

/** Returns the value of a cell in a column of this type. */
function valueOf(cell: string, type: string | undefined): string | number | boolean | null {
  if (cell === '') return null;
  if (type === 'integer' || type === 'number') return Number(cell);
  return type === 'boolean' ? cell.toLowerCase() === 'true' : cell;
}

describe('rows with errors', () => {
  test('are left out and listed, and the others are kept', async () => {
    const { result, rows } = await processTable('a,b\n1,2\n3\n4,5,6\n"7x,8\n\n9,10\n', { options: { delimiter: ',' } });
    expect(rows).toEqual([
      { a: 1, b: 2 },
      { a: 9, b: 10 },
    ]);
    expect(result.errors).toEqual([
      { line: 3, code: 'too_few_cells', message: 'The row has 1 cells instead of 2.' },
      { line: 4, code: 'too_many_cells', message: 'The row has 3 cells instead of 2.' },
      { line: 5, code: 'stray_quote', message: expect.any(String) },
    ]);
    expect([result.errorCount, result.rowCount]).toEqual([3, 2]);
  });

  test('are counted beyond the listed ones', async () => {
    const { result } = await processTable(`a,b\n${'1,2\n'.repeat(500)}${'1\n'.repeat(250)}`);
    expect([result.errors.length, result.errorCount, result.rowCount]).toEqual([100, 250, 500]);
  });

  test('make the table fail if there are more than maxErrors', async () => {
    const text = `a,b\n${'1,2\n'.repeat(9)}${'1\n'.repeat(3)}`;
    expect((await processTable(text, { options: { maxErrors: 3 } })).result.errorCount).toBe(3);
    expect(await problemOf(text, { options: { maxErrors: 2 } })).toMatchObject({
      code: 'table_damaged',
      detail: expect.stringMatching(/^More than 2 rows .* line 11: /),
    });
  });
});

describe('table beyond a limit', () => {
  test.each([
    ['a line of 50 MB', () => `a,b\n${'x'.repeat(50_000_000)}`, {}, 'table_line_too_long'],
    ['a cell of 50 MB in quotes', () => `a,b\n"${'x'.repeat(50_000_000)}"`, {}, 'table_line_too_long'],
    ['no rows', () => '\n\n\n', {}, 'table_damaged'],
    [
      'JSON Lines beyond the limit',
      () => `${'a'.repeat(100)},b\n${'1,\n'.repeat(50_000)}`,
      { limits: { maxOutputBytes: 1_000_000 } },
      'table_too_large',
    ],
  ])('is rejected with a detail about %s', async (_what, make, more, code) => {
    expect((await problemOf(make(), { options: { delimiter: ',' }, ...more })).code).toBe(code);
  });

  test('is rejected if it has another encoding than the option says, with the advice to omit the option', async () => {
    const text = 'name,city\nJürgen,Köln\nAnna,Ö\n';
    expect(await problemOf(text, { options: { encoding: 'shift_jis' } })).toMatchObject({
      code: 'table_damaged',
      detail: expect.stringMatching(/invalid in shift_jis.* Omit the option encoding/),
    });
    expect((await processTable(text)).result.rowCount).toBe(2);
  });

  test('is rejected if its JSON Lines are over 64 MiB and 20 times its size', async () => {
    const names = Array.from({ length: 2000 }, (_, index) => `${index}${'n'.repeat(124)}`);
    const text = `${names.join(';')}\n${`${';'.repeat(1999)}\n`.repeat(300)}`;
    const problem = await problemOf(text, { options: { delimiter: ';', header: true } });
    expect(problem).toMatchObject({
      code: 'table_too_large',
      detail: expect.stringMatching(/67108864 bytes.*Upload fewer rows per file, or use shorter column names/),
    });
  });

  test('shows only a part of its rows and long texts', async () => {
    const wide = Array.from({ length: 1500 }, (_, index) => `c${index}`).join(',');
    const row = Array.from({ length: 1500 }, () => `"${'é'.repeat(300)}"`).join(',');
    const { result } = await processTable(`${wide}\n${`${row}\n`.repeat(3)}`, { limits: { maxLineBytes: 2_000_000 } });
    expect(JSON.stringify(result.firstRows).length).toBeLessThan(150_000);
    expect(result.firstRows[0]?.[0]).toBe(`${'é'.repeat(42)}…`);
  });
});

describe('processing of a table', () => {
  test('reports progress that never goes back, also in a second pass', async () => {
    const { reports } = await processTable(`a,b\n${'1,2\n'.repeat(100_000)}x,y\n`);
    const fractions = reports.map(({ fraction }) => fraction);
    expect(fractions.length).toBeGreaterThan(5);
    expect(fractions).toEqual(fractions.toSorted((one, other) => one - other));
    expect(reports.at(-1)).toEqual({ stage: 'rows', fraction: 1 });
  });

  test('stops between two chunks after a cancel, and closes the file', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    await withFile(Buffer.from(`a,b\n${'1,2\n'.repeat(100_000)}`), async (path) => {
      const context = fakeContext(path, controller.signal);
      let chunks = 0;
      const publishFile: typeof context.publishFile = async (_file, made) => {
        for await (const _chunk of made) if (++chunks === 2) controller.abort(reason);
        throw new Error('all of it was made');
      };
      const upload = { ...context.upload, type: 'text/csv' };
      await expect(
        runPipeline(createTableProcessor(), { ...context, upload, publishFile }, { report: () => undefined }),
      ).rejects.toBe(reason);
      expect(chunks).toBe(2);
    });
  });

  test('does not blame the sender for a missing file', async () => {
    const context = {
      ...fakeContext('/nowhere/original'),
      upload: { id: '', publicId: '', type: 'text/csv', sizeBytes: 1, options: {} },
    };
    await expect(runPipeline(createTableProcessor(), context, { report: () => undefined })).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});
