import '../../../helpers/one-realm.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { XLSX_TYPE } from '../../../../src/kinds/table.ts';
import { workbook } from '../../../helpers/workbook.ts';
import { processTable, type ProcessedTable } from '../../../helpers/process-table.ts';

/** Reads one of the small workbooks, each of a kind that was read wrongly before. */
async function read(name: string, options: unknown = {}): Promise<ProcessedTable> {
  return await processTable(readFileSync(`test/fixtures/tables/${name}.xlsx`), { type: XLSX_TYPE, options });
}

async function valuesOf(name: string): Promise<unknown[]> {
  const { rows } = await read(name);
  return rows.map((row) => Object.values(row).at(-1));
}

async function typeOf(name: string): Promise<unknown> {
  return (await read(name)).result.columns.at(-1)?.type;
}

describe('real workbook', () => {
  test('counts days from 1904 if it says so, also with an extension list that repeats it', async () => {
    expect(await valuesOf('x01-date1904-forgotten')).toEqual(['2017-02-28']);
  });

  test('uses the number formats of its cells, not those of conditional formatting', async () => {
    expect(await valuesOf('x02-dxf-hides-date')).toEqual(['2015-02-27']);
    expect(await typeOf('x03-dxf-makes-date')).toMatch(/^(integer|number)$/);
  });

  test('has one line feed for each line end in a text', async () => {
    const { rows } = await read('x04-crlf-in-text');
    expect(rows).toEqual([{ name: 'a\nb', value: expect.not.stringContaining('\r\r') }]);
  });

  test('keeps the date of a time and the time of a date for any display format', async () => {
    expect(await valuesOf('x05-time-of-a-day')).toEqual(['2024-02-29T18:00:00', '18:00:00']);
  });

  test('has durations of a day and more', async () => {
    expect([await valuesOf('x06-elapsed'), await typeOf('x06-elapsed')]).toEqual([['PT36H', 'PT6H'], 'duration']);
  });

  test('has numbers if the general format is named in another language', async () => {
    expect(await valuesOf('x07-general-in-chinese')).toEqual([45351.75]);
  });

  test('keeps a row that is wider than the thousand rows before it', async () => {
    const { result, rows } = await read('x08-wider-after-1000-rows');
    expect(result.errorCount).toBe(0);
    expect(result.columns.map(({ name }) => name)).toEqual(['name', 'value', 'column_3']);
    expect(result.columns[2]).toMatchObject({ nullCount: result.rowCount - 1 });
    expect(rows.filter((row) => row['column_3'] !== null)).toHaveLength(1);
  });

  test('may have parts in UTF-16 of either byte order', async () => {
    expect(await valuesOf('x09-utf16be-part')).toEqual([1]);
  });

  test('has a time if a cell holds one as text', async () => {
    expect([await valuesOf('x10-iso-time'), await typeOf('x10-iso-time')]).toEqual([['08:30:00'], 'time']);
  });

  test('keeps the last digit of long numbers', async () => {
    expect((await read('x11-last-digit')).jsonLines).toContain(':1234567890123456789}');
  });

  test('may be followed by zeros or line ends', async () => {
    expect(await valuesOf('x12-padded-with-zeros')).toEqual([1]);
    const padded = Buffer.concat([readFileSync('test/fixtures/tables/x05-time-of-a-day.xlsx'), Buffer.from('\r\n  ')]);
    expect((await processTable(padded, { type: XLSX_TYPE })).result.rowCount).toBe(2);
  });

  test('is read from its first sheet with cells, and lists the other sheets', async () => {
    const { result } = await read('x13-first-sheet-empty');
    expect(result).toMatchObject({
      sheet: 'Sheet2',
      warnings: [{ code: 'other_sheets', message: expect.stringMatching(/"Sheet1", "Sheet2".*option sheet/) }],
    });
    await expect(read('x13-first-sheet-empty', { sheet: 1 })).rejects.toMatchObject({
      code: 'table_damaged',
      detail: expect.stringMatching(/"Sheet1" has no rows.*"Sheet1", "Sheet2".*option sheet/),
    });
  });

  test('counts its formulas without values, which are empty in the result', async () => {
    const rows =
      '<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row>' +
      '<row><c><v>1</v></c><c><f>A2*2</f></c></row><row><c><v>2</v></c><c><f>A3*2</f><v></v></c></row>' +
      '<row><c><v>3</v></c><c t="str"><f>""</f><v></v></c></row><row><c><v>4</v></c><c><f>A5</f><v>4</v></c></row>';
    const { result } = await processTable(workbook({ sheets: { One: rows } }), { type: XLSX_TYPE });
    expect(result).toMatchObject({
      rowCount: 4,
      warnings: [{ code: 'formulas_without_value', message: expect.stringMatching(/: 2\. .* save it and upload/) }],
    });
  });

  test('keeps the text of a formula without escapes', async () => {
    expect(await valuesOf('x14-escape-in-formula-text')).toEqual(['a\rb']);
  });
});
