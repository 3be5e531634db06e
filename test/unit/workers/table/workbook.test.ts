import '../../../helpers/one-realm.ts';
import { describe, expect, test } from '@jest/globals';
import { XLSX_TYPE } from '../../../../src/kinds/table.ts';
import { processTable, type ProcessedTable, type TableToProcess } from '../../../helpers/process-table.ts';
import { sheetRow, sheetXml, workbook, workbookParts, type WorkbookSpec } from '../../../helpers/workbook.ts';
import { zipFile, type ZipEntry } from '../../../helpers/zip-file.ts';
import { readSharedStrings } from '../../../../workers/table/workbook/shared-strings.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';

async function read(file: WorkbookSpec | Buffer, more: TableToProcess = {}): Promise<ProcessedTable> {
  return await processTable(Buffer.isBuffer(file) ? file : workbook(file), { type: XLSX_TYPE, ...more });
}

async function problemOf(file: WorkbookSpec | Buffer, more: TableToProcess = {}): Promise<UnprocessableError> {
  const error = await read(file, more).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof UnprocessableError) return error;
  throw new Error('it was not refused', { cause: error });
}

/** A workbook of one sheet with a header and a row. */
const SMALL: WorkbookSpec = { sheets: { One: sheetRow(1, ['id', 'name']) + sheetRow(2, [1, 'Ada']) } };

/** Returns the cells of one row, below a header with as many names. */
async function cellsOf(cells: string, spec: Omit<WorkbookSpec, 'sheets'> = {}): Promise<unknown[]> {
  const count = cells.split('<c ').length - 1;
  const header = sheetRow(
    1,
    Array.from({ length: count }, (_, index) => `c${index}`),
  );
  const { rows } = await read(
    { ...spec, sheets: { One: `${header}<row r="2">${cells}</row>` } },
    { options: { header: true } },
  );
  return Object.values(rows[0] ?? {});
}

describe('workbook', () => {
  test('is read from its first visible sheet, in which rows and cells may be missing', async () => {
    const rows =
      sheetRow(1, ['id', 'name', 'city']) +
      sheetRow(2, [1, 'Ada', null]) +
      sheetRow(3, [null, null]) +
      sheetRow(7, [2, null, 'Zürich &amp; more']);
    const { result, rows: read1 } = await read({
      sheets: { Secret: sheetRow(1, ['x']), 'Ünï & co': rows },
      hidden: ['Secret'],
    });
    expect(read1).toEqual([
      { id: 1, name: 'Ada', city: null },
      { id: 2, name: null, city: 'Zürich & more' },
    ]);
    expect(result).toMatchObject({
      format: 'xlsx',
      encoding: null,
      delimiter: null,
      sheet: 'Ünï & co',
      hasHeader: true,
      rowCount: 2,
      errorCount: 0,
      columns: [
        { name: 'id', type: 'integer', nullCount: 0 },
        { name: 'name', type: 'string', nullCount: 1 },
        { name: 'city', type: 'string', nullCount: 1 },
      ],
    });
  });

  test.each([
    [2, 'Second'],
    ['Second', 'Second'],
    ['second', 'Second'],
    [1, 'First'],
  ])('is read from the sheet %j if the option names it', async (sheet, name) => {
    const spec = { sheets: { First: sheetRow(1, ['a', 'b']), Second: sheetRow(1, ['c', 'd']) } };
    expect((await read(spec, { options: { sheet } })).result.sheet).toBe(name);
  });

  test.each([3, 'Third'])('has no sheet %j, and the error lists the existing ones', async (sheet) => {
    const spec = { sheets: { First: sheetRow(1, ['a']), 'Se"cond': sheetRow(1, ['b']) } };
    await expect(read(spec, { options: { sheet } })).rejects.toMatchObject({
      code: 'bad_options',
      detail: expect.stringContaining('"First", "Se\\"cond"'),
    });
  });

  test('has its header below a title in B2, and beside an empty column A', async () => {
    const { result, rows } = await read({
      sheets: {
        One:
          sheetRow(2, [null, 'Title']) +
          sheetRow(4, [null, 'id', 'price', 'city']) +
          sheetRow(5, [null, 1, 2.5, 'Rome']),
      },
    });
    expect(rows).toEqual([{ column_1: null, id: 1, price: 2.5, city: 'Rome' }]);
    expect(result).toMatchObject({ hasHeader: true, rowsSkipped: 1 });
  });

  test('without a header keeps all rows, and columns that begin further down', async () => {
    const { result, rows } = await read({ sheets: { One: sheetRow(1, ['Report']) + sheetRow(3, [1, 2, 3]) } });
    expect(result).toMatchObject({
      hasHeader: false,
      columns: [{ name: 'column_1' }, { name: 'column_2' }, { name: 'column_3' }],
      rowCount: 2,
    });
    expect(rows[0]).toEqual({ column_1: 'Report', column_2: null, column_3: null });
  });

  test('may write the names of its parts percent-encoded', async () => {
    const parts = workbookParts(SMALL).map((part) => ({
      ...part,
      name: part.name.replace('sheet1', 'my sheet'),
      bytes: String(part.bytes).replaceAll('worksheets/sheet1.xml', 'worksheets/my%20sheet.xml'),
    }));
    expect((await read(zipFile(parts))).result.rowCount).toBe(1);
  });

  test('has no number in a cell of blanks', async () => {
    expect(await cellsOf('<c r="A2"><v> </v></c><c r="B2"><v>1</v></c>')).toEqual([null, 1]);
  });

  test('may lack parts that it refers to', async () => {
    const parts = workbookParts(SMALL).filter(
      ({ name }) => name !== 'xl/styles.xml' && name !== 'xl/sharedStrings.xml',
    );
    expect((await read(zipFile(parts))).result.rowCount).toBe(1);
  });

  test('may use prefixes, cells without references, strings in runs and another order of parts', async () => {
    const rows =
      '<x:row><x:c t="s"><x:v>0</x:v></x:c><x:c t="s"><x:v>1</x:v></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c><x:c t="str"><x:f>A1</x:f><x:v>é</x:v></x:c></x:row>';
    const strings = [
      '<si><t>id</t></si>',
      '<si><r><t xml:space="preserve">full </t></r><r><t>name_x000D_</t></r><rPh sb="0" eb="1"><t>ネーム</t></rPh></si>',
    ];
    const { rows: read1 } = await read({ sheets: { One: rows }, strings, prefix: 'x:', typesLast: true });
    expect(read1).toEqual([{ id: 1, 'full name': 'é' }]);
  });
});

describe('cell of a workbook', () => {
  test('has the value of its type, for any text', async () => {
    const cells =
      '<c r="A2" t="inlineStr"><is><t>007</t></is></c><c r="B2" t="inlineStr"><is><t>12</t></is></c><c r="C2" t="b"><v>1</v></c><c r="D2" t="b"><v>0</v></c>' +
      '<c r="E2" t="e"><v>#N/A</v></c><c r="F2" t="str"><v>true</v></c><c r="G2" t="d"><v>2024-02-29</v></c><c r="H2"><v>1.5E-3</v></c><c r="I2"><v>0.30000000000000004</v></c>';
    expect(await cellsOf(cells)).toEqual([
      '007',
      '12',
      true,
      false,
      '#N/A',
      'true',
      '2024-02-29',
      0.0015,
      0.30000000000000004,
    ]);
  });

  test('with a formula has the last computed value', async () => {
    const cells =
      '<c r="A2"><f>1+1</f><v>7</v></c><c r="B2" t="str"><f>"a"&amp;"b"</f><v>=x</v></c><c r="C2"><f>NOW()</f></c>';
    expect(await cellsOf(cells)).toEqual([7, '=x', null]);
  });

  test('is a number if its format is longer than Excel accepts', async () => {
    const formats = [`yyyy${' '.repeat(252)}`, `yyyy${' '.repeat(251)}`, '['.repeat(63_000)];
    const cells = formats.map((_, index) => `<c s="${index + 1}"><v>45351</v></c>`).join('');
    expect(await cellsOf(cells, { formats })).toEqual([45351, '2024-02-29', 45351]);
  });

  test('is a date or a time if its format says so', async () => {
    const formats = ['yyyy-mm-dd', 'dd/mm/yyyy hh:mm', 'h:mm AM/PM', '0.00', '"day" 0', '[Red]d. mmmm yyyy', 'mm:ss'];
    const serials = [45351, 45351.5729166667, 0.75, 45351.5, 3, 60, 0.5];
    const cells = serials.map((serial, index) => `<c s="${index + 1}"><v>${serial}</v></c>`).join('');
    expect(await cellsOf(cells, { formats })).toEqual([
      '2024-02-29',
      '2024-02-29T13:45:00',
      '18:00:00',
      45351.5,
      3,
      '1900-02-28',
      '12:00:00',
    ]);
    expect(await cellsOf('<c s="1"><v>0</v></c>', { formats, isFrom1904: true })).toEqual(['1904-01-01']);
  });

  test('may be in a column with cells of other types', async () => {
    const { result, rows } = await read({
      sheets: { One: sheetRow(1, ['a', 'b']) + sheetRow(2, [1, 'x']) + sheetRow(3, ['n/a', 'y']) },
    });
    expect(result.columns[0]?.type).toBe('string');
    expect(rows).toEqual([
      { a: '1', b: 'x' },
      { a: 'n/a', b: 'y' },
    ]);
  });
});

describe('damaged workbook', () => {
  const parts = workbookParts(SMALL);
  const changed = (name: string, change: Partial<ZipEntry>) =>
    zipFile(parts.map((part) => (part.name === name ? { ...part, ...change } : part)));
  const SHEET = 'xl/worksheets/sheet1.xml';
  const whole = workbook(SMALL);

  test.each<[string, Buffer, string, RegExp]>([
    ['is no archive', Buffer.from('PK\x03\x04 and nothing else'), 'table_damaged', /incomplete/],
    ['is cut in half', whole.subarray(0, whole.length / 2), 'table_damaged', /incomplete/],
    ['has lost its last byte', whole.subarray(0, -1), 'table_damaged', /incomplete/],
    ['has bytes that were changed', changed(SHEET, { claimedCrc: 7 }), 'table_damaged', /incomplete/],
    [
      'has a part that does not unpack',
      changed(SHEET, { packed: Buffer.from([7, 7, 7, 7]) }),
      'table_damaged',
      /incomplete/,
    ],
    ['unpacks to more than it claims', changed(SHEET, { claimedBytes: 10 }), 'table_damaged', /incomplete/],
    ['is encrypted', changed(SHEET, { isEncrypted: true }), 'table_encrypted', /password/],
    [
      'leads out of its folder',
      zipFile([...parts, { name: '../../etc/passwd', bytes: 'x' }]),
      'table_damaged',
      /points outside/,
    ],
    ['leads to the root', zipFile([...parts, { name: '/etc/passwd', bytes: 'x' }]), 'table_damaged', /points outside/],
    ['has a part twice', zipFile([...parts, { name: 'XL/workbook.xml', bytes: 'x' }]), 'table_damaged', /twice/],
    ['has no workbook', zipFile(parts.filter(({ name }) => name !== 'xl/workbook.xml')), 'table_damaged', /missing/],
    ['has no sheets', workbook({ sheets: {} }), 'table_damaged', /no sheet/],
    ['has an empty sheet', workbook({ sheets: { One: '' } }), 'table_damaged', /no rows\. Add rows/],
    ['is no XML', changed(SHEET, { bytes: '<worksheet><sheetData></worksheet>' }), 'table_damaged', /cannot be read/],
    [
      'is no UTF-8',
      changed(SHEET, { bytes: Buffer.from(sheetXml('<row><c t="str"><v>\xe9</v></c></row>'), 'latin1') }),
      'table_damaged',
      /cannot be read/,
    ],
    [
      'defines entities',
      changed(SHEET, { bytes: '<!DOCTYPE w [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>' }),
      'table_damaged',
      /cannot be read/,
    ],
    [
      'is nested without end',
      changed(SHEET, { bytes: sheetXml('<a>'.repeat(1000)) }),
      'table_damaged',
      /cannot be read/,
    ],
    [
      'refers to texts that are not there',
      workbook({ sheets: { One: '<row><c t="s"><v>0</v></c></row>' } }),
      'table_damaged',
      /wrong places/,
    ],
    [
      'has rows that go back',
      workbook({ sheets: { One: sheetRow(2, ['a']) + sheetRow(1, ['b']) } }),
      'table_damaged',
      /wrong places/,
    ],
    [
      'has two cells in one place',
      workbook({ sheets: { One: '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>' } }),
      'table_damaged',
      /wrong places/,
    ],
    [
      'has a cell beyond the last column',
      workbook({ sheets: { One: '<row r="1"><c r="XFE1"><v>1</v></c></row>' } }),
      'table_damaged',
      /wrong places/,
    ],
    [
      'has a cell in the last column',
      workbook({ sheets: { One: '<row r="1"><c r="XFD1"><v>1</v></c></row>' } }),
      'table_too_large',
      /16384 columns/,
    ],
  ])('is rejected because it %s', async (_why, bytes, code, words) => {
    const problem = await problemOf(bytes);
    expect([problem.code, problem.detail]).toEqual([code, expect.stringMatching(words)]);
    expect(problem.detail).not.toMatch(/yauzl|saxes|passwd|node:|undefined/);
  });
});

describe('oversized workbook', () => {
  const row = sheetRow(1, ['a', 'b']);

  test('is rejected before unpacking if a part unpacks to hundreds of times its size', async () => {
    const bomb = workbook({ sheets: { One: row + ' '.repeat(20_000_000) } });
    expect(bomb.length).toBeLessThan(30_000);
    expect(await problemOf(bomb)).toMatchObject({
      code: 'table_too_large',
      detail: expect.stringContaining('250 times'),
    });
  });

  test('is rejected if too much of it is read in total', async () => {
    const strings = Array.from({ length: 2000 }, (_, index) => `<si><t>${index * 7919}</t></si>`);
    expect(await problemOf({ sheets: { One: row }, strings }, { limits: { maxUnpackedBytes: 20_000 } })).toMatchObject({
      code: 'table_too_large',
      detail: expect.stringContaining('20000 bytes'),
    });
  });

  test('is rejected for too many parts', async () => {
    expect(await problemOf(zipFile(workbookParts(SMALL), 60_000))).toMatchObject({
      code: 'table_too_large',
      detail: expect.stringContaining('60000 parts'),
    });
  });

  test('is rejected for texts that do not fit into memory', async () => {
    const strings = '<sst><si><t>four</t></si><si><t>five</t></si><si><r><t>six</t></r><r><t>seven</t></r></si></sst>';
    const archive = {
      read: async function* () {
        yield { bytes: Buffer.from(strings), fraction: 1 };
      },
    };
    const { signal } = new AbortController();
    expect(await readSharedStrings(archive, '', signal, { strings: 3, bytes: 16 })).toEqual([
      'four',
      'five',
      'sixseven',
    ]);
    for (const most of [
      { strings: 2, bytes: 16 },
      { strings: 3, bytes: 15 },
    ]) {
      await expect(readSharedStrings(archive, '', signal, most)).rejects.toMatchObject({ code: 'table_too_large' });
    }
  });

  test.each([
    ['65,537 styles', 'xl/styles.xml', `<styleSheet><cellXfs>${'<xf/><xf />'.repeat(32_769)}</cellXfs></styleSheet>`],
    [
      '1001 sheets',
      'xl/workbook.xml',
      `<workbook><sheets>${'<sheet name="a" id="1"/>'.repeat(1001)}</sheets></workbook>`,
    ],
    [
      '10,001 relations',
      'xl/_rels/workbook.xml.rels',
      `<Relationships>${'<Relationship Id="1" Type="a" Target="b"/>'.repeat(10_001)}</Relationships>`,
    ],
    [
      '65,537 number formats',
      'xl/styles.xml',
      `<styleSheet><numFmts>${Array.from({ length: 65_537 }, (_, id) => `<numFmt numFmtId="${id}" formatCode="0"/>`).join('')}</numFmts></styleSheet>`,
    ],
  ])('is rejected for %s', async (_what, name, bytes) => {
    expect(await problemOf({ ...SMALL, more: [{ name, bytes }] })).toMatchObject({
      code: 'table_too_large',
      detail: expect.stringContaining('Copy the rows to a new workbook'),
    });
  });

  test('is rejected for an element with too many attributes', async () => {
    const attributes = Array.from({ length: 300 }, (_, index) => `a${index}=""`).join(' ');
    expect(await problemOf({ sheets: { One: `<row ${attributes}/>` } })).toMatchObject({ code: 'table_damaged' });
  });

  test('is rejected for a value that continues between elements', async () => {
    const value = `<v>${`${'1'.repeat(500)}<x/>`.repeat(3)}</v>`;
    const sheets = { One: `<row><c>${value}</c></row>` };
    expect(await problemOf({ sheets }, { limits: { maxLineBytes: 1024 } })).toMatchObject({
      code: 'table_line_too_long',
    });
  });

  test('is rejected for a long text that many cells refer to', async () => {
    const cells = '<c t="s"><v>0</v></c>'.repeat(200);
    const strings = [`<si><t>${'x'.repeat(6000)}</t></si>`];
    expect(await problemOf({ sheets: { One: `<row>${cells}</row>` }, strings })).toMatchObject({
      code: 'table_line_too_long',
      detail: expect.stringContaining('Row 1 '),
    });
  });

  test('is rejected for one endless text', async () => {
    const endless = Array.from({ length: 200_000 }, (_, index) => (index * 2_654_435_761) % 1_000_000_007).join(' ');
    expect(await problemOf({ sheets: { One: `<row><c t="str"><v>${endless}</v></c></row>` } })).toMatchObject({
      code: 'table_damaged',
    });
  });

  test('is accepted if only parts that are not read are too large', async () => {
    const { result } = await read(
      { ...SMALL, more: [{ name: 'xl/media/huge.bin', bytes: Buffer.alloc(20_000_000) }] },
      { limits: { maxUnpackedBytes: 20_000 } },
    );
    expect(result.rowCount).toBe(1);
  });
});
