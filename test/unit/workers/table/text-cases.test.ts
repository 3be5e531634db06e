import '../../../helpers/one-realm.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { tableOptionsSchema } from '../../../../src/kinds/table-options.ts';
import { processTable, type ProcessedTable } from '../../../helpers/process-table.ts';

/** Reads one of the small texts, each of a kind that was read wrongly before. */
async function read(name: string, options: unknown = {}): Promise<ProcessedTable> {
  return await processTable(readFileSync(`test/fixtures/tables/${name}.csv`), { options });
}

const namesOf = ({ result }: ProcessedTable) => result.columns.map(({ name }) => name);

describe('real text table', () => {
  test('has its header below a title, which is reported as skipped', async () => {
    const table = await read('c02-title-above-header');
    expect(namesOf(table)).toEqual(['name', 'value', 'unit']);
    expect(table.rows[0]).toEqual({ name: 'a', value: 1, unit: 'm' });
    expect(table.result).toMatchObject({
      rowCount: 4,
      errorCount: 0,
      rowsSkipped: 1,
      warnings: [{ code: 'rows_above_table', message: expect.stringContaining('The first row is above') }],
    });
    const padded = await processTable('Report,,\n,,\nname,value,unit\na,1,m\nb,2,m\n');
    expect([namesOf(padded), padded.result.rowsSkipped]).toEqual([['name', 'value', 'unit'], 2]);
  });

  test.each([
    ['in the first column of the table', ',Title,,\n\n,id,name,price\n,1,a,2.5\n,2,b,3.5\n', 1],
    ['with a padded row below it', ',Title,,\n,,,\n,id,name,price\n,1,a,2.5\n,2,b,3.5\n', 2],
    ['in the middle', ',,Title,\n,id,name,price\n,1,a,2.5\n,2,b,3.5\n', 1],
  ])('has its header below a title %s, beside an empty column', async (_where, text, rowsSkipped) => {
    const table = await processTable(text);
    expect(namesOf(table)).toEqual(['column_1', 'id', 'name', 'price']);
    expect(table.result.columns.map(({ type }) => type)).toEqual(['empty', 'integer', 'string', 'number']);
    expect(table.result).toMatchObject({ hasHeader: true, rowCount: 2, rowsSkipped });
  });

  test('is found below a report that has more lines than the table has rows', async () => {
    const report = '# Pages\n# 2024\n# all\n# by views\n# of a site\n';
    const table = await processTable(`${report}Page,Views,Time,Share\n/a,3,1 s,5%\n/b,2,2 s,6%\n/c,1,3 s,7%\n`);
    expect([namesOf(table), table.rows[0]]).toEqual([
      ['Page', 'Views', 'Time', 'Share'],
      { Page: '/a', Views: 3, Time: '1 s', Share: '5%' },
    ]);
    expect(table.result).toMatchObject({ rowCount: 3, errorCount: 0, rowsSkipped: 5 });
  });

  test('keeps the rows of most lines if the last ones have one cell more', async () => {
    const rows = (columns: number, count: number) =>
      Array.from(
        { length: count },
        (_, row) => `${Array.from({ length: columns }, (_cell, at) => `t${row}${at}`).join(',')}\n`,
      );
    const table = await processTable(`a,b,c,d\n${[...rows(4, 6), ...rows(5, 4)].join('')}`);
    expect([namesOf(table), table.result.rowCount, table.result.errorCount]).toEqual([['a', 'b', 'c', 'd'], 6, 4]);
    expect(table.result.warnings).toEqual([]);
  });

  test('is found below lines of one cell that are more than half of all rows', async () => {
    const table = await processTable(`${'# a report\n'.repeat(8)}a,b,c,d\n${'1,2,3,4\n'.repeat(4)}`);
    expect([namesOf(table), table.result.rowCount, table.result.rowsSkipped]).toEqual([['a', 'b', 'c', 'd'], 4, 8]);
  });

  test('keeps the rows of most lines if the last ones have more cells and no header', async () => {
    const table = await processTable(`a,b,c\n${'1,2,3\n'.repeat(6)}${'1,2,3,4,5\n'.repeat(4)}`);
    expect([namesOf(table), table.result.rowCount, table.result.errorCount]).toEqual([['a', 'b', 'c'], 6, 4]);
  });

  test('has a header with an empty corner and one name, which is no title', async () => {
    const table = await processTable(',city\nAda,Berlin\nGrace,Paris\n');
    expect([namesOf(table), table.result.rowCount]).toEqual([['column_1', 'city'], 2]);
  });

  test('gets an unnamed first column if its header lacks one name, as R writes it', async () => {
    const table = await read('c03-header-too-short');
    expect(namesOf(table)).toEqual(['column_1', 'a', 'b']);
    expect(table.rows).toEqual([
      { column_1: 1, a: 5, b: 6 },
      { column_1: 2, a: 7, b: 8 },
      { column_1: 3, a: 9, b: 10 },
    ]);
  });

  test('has no column for delimiters at the ends of lines', async () => {
    expect(namesOf(await read('c04-header-too-long'))).toEqual(['a', 'b', 'c']);
    const rows = await processTable('a,b\n1,2,\n3,4,\n');
    expect([namesOf(rows), rows.result.rowCount]).toEqual([['a', 'b'], 2]);
  });

  test('has its values below their names if lines end with a delimiter and the last column is empty', async () => {
    const bank = await processTable('Details,Amount,Check #\nDEBIT,-23.45,,\nDEBIT,-40.00,,\n');
    expect([namesOf(bank), bank.rows[0]]).toEqual([
      ['Details', 'Amount', 'Check #'],
      { Details: 'DEBIT', Amount: -23.45, 'Check #': null },
    ]);
    expect(bank.result).toMatchObject({ rowCount: 2, errorCount: 0, rowsSkipped: 0, warnings: [] });
  });

  test.each([
    ['pandas', ',name,age\n0,Ada,36\n1,Grace,85\n', ['column_1', 'name', 'age']],
    ['R', '"","name","age"\n"1","Ada",36\n"2","Grace",85\n', ['column_1', 'name', 'age']],
    ['R without quotes', 'name\tage\n1\tAda\t36\n2\tGrace\t85\n', ['column_1', 'name', 'age']],
    ['double names', 'id,amount,amount\n1,2.5,3.5\n2,4.5,5.5\n', ['id', 'amount', 'amount_2']],
    [
      'double names over texts with digits',
      'Tag;Saldo;Währung;Betrag;Währung\n01.02.24;1,5;EUR;-2,0;EUR\n02.02.24;-0,5;EUR;3,1;EUR\n',
      ['Tag', 'Saldo', 'Währung', 'Betrag', 'Währung_2'],
    ],
    [
      'a bank',
      '"Account:","x"\n"Balance:","0"\n\n"Date","Type","In"\n"1","Card","2"\n"2","Card","3"\n',
      ['Date', 'Type', 'In'],
    ],
  ])('has the header of %s', async (_who, text, names) => {
    const table = await processTable(text);
    expect([table.result.hasHeader, namesOf(table), table.result.rowCount]).toEqual([true, names, 2]);
  });

  test.each([
    ['numbers', ',,id,price\n,,1,2\n,,3,4\n', ['column_1', 'column_2', 'id', 'price']],
    ['texts', 'id,,name,\na,,x,\nb,,y,\n', ['id', 'column_2', 'name', 'column_4']],
    ['years', ',country,2020,2021\n,China,1411,1412\n,India,1396,1408\n', ['column_1', 'country', '2020', '2021']],
  ])('has its header beside columns without names and values, above %s', async (_what, text, names) => {
    const table = await processTable(text);
    expect([table.result.hasHeader, namesOf(table), table.result.rowCount]).toEqual([true, names, 2]);
  });

  test('is rejected as incomplete if it ends within a character of UTF-8', async () => {
    const cut = Buffer.from('id,name\n1,Zoë\n2,Zoë').subarray(0, -1);
    await expect(processTable(cut)).rejects.toMatchObject({
      code: 'table_damaged',
      message: expect.stringContaining('ends within a character of UTF-8'),
    });
    const marked = Buffer.concat([Buffer.from('\ufeff'), cut]);
    await expect(processTable(marked)).rejects.toMatchObject({
      code: 'table_damaged',
      message: expect.stringMatching(/ends within a character of UTF-8. Upload the whole file\.$/),
    });
    const older = await processTable(Buffer.from('id,name\n1,Zoe\n2,Zo\xeb', 'latin1'));
    expect(older.result).toMatchObject({ encoding: 'windows-1252', rowCount: 2 });
  });

  test.each([0xc0, 0xc1, 0xf5, 0xff])('may be in another encoding if it ends with the byte %d', async (last) => {
    const bytes = Buffer.concat([Buffer.from('id,name\n1,Zoë\n2,Zo'), Buffer.from([last])]);
    const { result } = await processTable(bytes);
    expect([result.encoding !== 'utf-8', result.rowCount]).toEqual([true, 2]);
  });

  test('has no header for a row that names less than half of the columns with values', async () => {
    const table = await processTable(',,id\n1,2,3\n4,5,6\n');
    expect([table.result.hasHeader, table.result.rowCount]).toEqual([false, 3]);
  });

  test('has no blanks in its cells if one follows each delimiter', async () => {
    const table = await processTable('id, item, cost\n1, "Socks", 7.97\n2, "Sunscreen, 8 oz", 6.50\n');
    expect(table.result.columns.map(({ type }) => type)).toEqual(['integer', 'string', 'number']);
    expect((await read('c05-comma-space')).rows).toEqual([{ a: 1, b: 2, c: 3 }]);
    expect((await processTable('a,b\nx, y\nz,w\n')).rows[0]).toEqual({ a: 'x', b: ' y' });
  });

  test('may name its delimiter in its first line, as Excel reads it', async () => {
    const table = await read('c08-sep');
    expect([namesOf(table), table.rows, table.result.delimiter]).toEqual([
      ['name', 'value'],
      [
        { name: 'a', value: 1 },
        { name: 'b', value: 2 },
      ],
      ';',
    ]);
    const faulty = await processTable('sep=,\na,b\n1,2\n3\n4,5\n');
    expect(faulty.result.errors.map(({ line }) => line)).toEqual([4]);
  });

  test('may end with the end mark of DOS', async () => {
    expect((await read('c11-dos-end')).rows).toHaveLength(2);
    const long = await processTable(`id,name\r\n${'1,Ada\r\n'.repeat(1000)}\x1a`);
    expect([long.result.rowCount, long.result.errorCount]).toEqual([1000, 0]);
  });

  test.each(['c01-gift', 'c05-comma-space', 'c09-angle', 'c10-bracket', 'c14-wordy'])(
    'is read without losing a row: %s',
    async (name) => {
      const { result } = await read(name);
      expect(result).toMatchObject({ hasHeader: true, rowsSkipped: 0, warnings: [] });
      expect(result.rowCount).toBeGreaterThan(0);
    },
  );

  test('may have quotes within cells, and blanks before quotes', async () => {
    const inches = await read('c06-quote-in-a-cell');
    expect(inches.rows).toEqual([
      { item: 'pipe', size: '5" steel' },
      { item: 'Über das "Frauenkreuz"', size: '2' },
      { item: 'rod', size: '7' },
    ]);
    const blanks = await read('c07-space-before-quote');
    expect([namesOf(blanks), blanks.rows.map((row) => Object.values(row)[1]), blanks.result.errorCount]).toEqual([
      ['ID', 'DESC'],
      ['iPod Nano', 'iPod Touch'],
      0,
    ]);
  });

  test('is rejected with its first error if no row is usable', async () => {
    const faulty = `a,b\n${'"1,2\n'.repeat(5)}`;
    await expect(processTable(faulty)).rejects.toMatchObject({
      code: 'table_damaged',
      detail: expect.stringMatching(/^No row is usable: all 5 have errors. The first is in line 2: .*option delimiter/),
    });
  });

  test('is rejected if most of its rows have errors', async () => {
    const text = `a,b,c\n${'1,2,3\n'.repeat(1000)}${'1\n'.repeat(1001)}`;
    await expect(processTable(text, { options: { maxErrors: 5000 } })).rejects.toMatchObject({
      code: 'table_damaged',
      detail: expect.stringMatching(/^Only 1000 rows are usable: 1001 have errors/),
    });
  });
});

/** Texts in encodings that Node can only read, as hexadecimal digits. */
const LEGACY = [
  ['gb18030', 'd0d5c3fb2cb3c7cad02cc4eac1e40d0ad5c5c8fd2cb1b1bea92c33300d0ac0eecbc42cc9cfbaa32c32350d0a', '姓名'],
  ['shift_jis', '96bc914f2c93738e730d0a8e5293632c938c8b9e0d0a97e996d82c91e58de30d0a', '名前'],
  ['windows-1251', 'e8ecff2ce3eef0eee40d0ac8e2e0ed2ccceef1eae2e00d0ac0edede02ccae0e7e0edfc0d0a', 'имя'],
] as const;

describe('text in a regional encoding', () => {
  test.each(LEGACY)('is read as %s, with a warning that this is a guess', async (encoding, hex, name) => {
    const { result } = await processTable(Buffer.from(hex, 'hex'));
    expect([result.encoding, result.columns[0]?.name]).toEqual([encoding, name]);
    expect(result.encodingCertainty).toBeLessThan(1);
    expect(result.warnings).toEqual([
      { code: 'encoding_guessed', message: expect.stringContaining('option encoding') },
    ]);
  });

  test('is read in the encoding that the sender names', async () => {
    const bytes = Buffer.from(LEGACY[0][1], 'hex');
    const given = await processTable(bytes, { options: { encoding: 'GBK' } });
    expect(given.result).toMatchObject({ encoding: 'gbk', encodingCertainty: 1, warnings: [] });
    expect(given.result.columns[0]?.name).toBe('姓名');
    await expect(processTable(bytes, { options: { encoding: 'utf-8' } })).rejects.toMatchObject({
      code: 'table_damaged',
      detail: expect.stringContaining('Omit the option'),
    });
    expect(tableOptionsSchema.safeParse({ encoding: 'klingon' }).success).toBe(false);
  });
});
