import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { acceptFile } from '../../../src/intake/receive.ts';
import { createKinds } from '../../../src/kinds/kinds.ts';
import { workbook, workbookParts, sheetRow } from '../../helpers/workbook.ts';
import { zipFile } from '../../helpers/zip-file.ts';

const kinds = createKinds();
const sheets = { One: sheetRow(1, ['a', 'b']) };

async function refusal(head: Buffer): Promise<unknown> {
  return await acceptFile(kinds, head, {}).then(
    ({ type }) => type,
    (error: unknown) => error,
  );
}

describe('type of a workbook at the intake', () => {
  test('rejects a workbook of binary parts and advises to save it as XLSX', async () => {
    const parts = workbookParts({ sheets }).map((part) => ({
      ...part,
      name: part.name.replace(/^xl\/(.*)\.xml$/, 'xl/$1.bin'),
    }));
    const types = { name: '[Content_Types].xml', bytes: '<Types/>' };
    expect(await refusal(zipFile([types, ...parts.slice(1)]))).toMatchObject({
      code: 'unsupported_media_type',
      message: expect.stringMatching(/binary\.macroenabled.*save it as XLSX or CSV\.$/),
    });
  });

  test('accepts a workbook of XML, also with macros and printer settings', async () => {
    const more = [
      { name: 'xl/vbaProject.bin', bytes: Buffer.alloc(9) },
      { name: 'xl/printerSettings/printerSettings1.bin', bytes: Buffer.alloc(9) },
    ];
    expect(await refusal(workbook({ sheets, more }))).toMatch(/spreadsheetml/);
  });
});

describe('type of a text at the intake', () => {
  test.each([
    'c01-gift',
    'c02-title-above-header',
    'c03-header-too-short',
    'c04-header-too-long',
    'c05-comma-space',
    'c06-quote-in-a-cell',
    'c07-space-before-quote',
    'c08-sep',
    'c09-angle',
    'c10-bracket',
    'c11-dos-end',
    'c14-wordy',
  ])('recognizes %s as a table', async (name) => {
    expect(await refusal(readFileSync(`test/fixtures/tables/${name}.csv`))).toBe('text/csv');
  });

  test.each([
    ['log lines', '[10:00:01],INFO,start\n[10:00:02],WARN,late\n'],
    ['addresses', '<ada@x.example>,Ada,1\n<grace@x.example>,Grace,2\n'],
    ['bars around cells', '|1|Ada|\n|2|Grace|\n'],
    [
      'questions and answers',
      'question;answer\nHow do I send it?;Drop it on the page\nIs that all there is?;It is all there is\n',
    ],
    ['rows of delimiters at its end', `a;b\r\n1;2\r\n${';\r\n'.repeat(5)}`],
    ['words of programs as values', 'public,12\nprivate,13\nreturn,14\ntest,15\nclass,16\n'],
    [
      'a small table below the lines of a bank account',
      'Report;from 2 January\nIBAN;DE12\nBank;Some bank\nAccount;Current account\nBalance;1,50;EUR\n' +
        'Sorted by date\nDay;Shop;Text;Amount\n1.1.;A;Card;-1,00\n2.1.;B;Card;-2,00\n3.1.;C;Card;-3,00\n',
    ],
    [
      'Markdown in quoted cells',
      'id,body,state\n1,"See ""this"":\n\n| a | b |\n| --- | --- |\n| 1 | 2 |",open\n' +
        '2,"| a |\n| --- |\n| 1 |",closed\n',
    ],
    ['three letters of a signature', 'ID3,name,value\n1,a,2\n2,b,3\n'],
  ])('recognizes %s as a table', async (_what, text) => {
    expect(await refusal(Buffer.from(text))).toBe('text/csv');
  });

  test.each(['c12-one-column.csv', 'c13-wide-row-first.csv', 'c15-code.jl'])(
    'rejects %s with advice about the option delimiter, and accepts it with this option',
    async (name) => {
      const bytes = readFileSync(`test/fixtures/tables/${name}`);
      expect(await refusal(bytes)).toMatchObject({
        code: 'unsupported_media_type',
        message: expect.stringMatching(/^This file is text\/plain\. .*option delimiter.*\{"delimiter": ","\}/),
      });
      expect((await acceptFile(kinds, bytes, { delimiter: ',' })).type).toBe('text/csv');
    },
  );

  test('rejects an HTML page with other advice', async () => {
    expect(await refusal(Buffer.from('<html><body><table><tr><td>a</td></tr></table></body></html>'))).toMatchObject({
      message: expect.stringMatching(/^This file is text\/html\. .*save it as XLSX or CSV/),
    });
  });

  test.each([
    ['Go', 'package main\n\nimport "fmt"\n\nfunc f(a, b int) {\n\tx, y := a, b\n\tz, w := b, a\n}\n'],
    ['Python', 'from a import b, c\nx, y = 1, 2\ndef f(a, b):\n    return a, b\n'],
    [
      'Markdown that ends with a table',
      `${'text\n'.repeat(5)}| a | b | c |\n| --- | --- | --- |\n${'| 1 | 2 | 3 |\n'.repeat(3)}`,
    ],
    [
      'Markdown with quotes above its table',
      `It is a "text".\n${'text\n'.repeat(5)}| a | b | c |\n| --- | --- | --- |\n${'| 1 | 2 | 3 |\n'.repeat(3)}`,
    ],
    ['Markdown', '| a | b |\n|---|---|\n| 1 | 2 |\n'],
    [
      'an X bitmap',
      '#define a_width 32\n#define a_height 2\nstatic char a[] = {\n0x1,0x2,0x3,0x4,\n0x1,0x2,0x3,0x4,\n};\n',
    ],
    [
      'three lines of code with equal commas',
      'call one\ncall two\ncall three\nf(a, b, c, d)\nf(e, f, g, h)\nf(i, k, l, m)\n',
    ],
    ['JSON', '[{"a":1,"b":2},\n{"a":3,"b":4}]\n'],
  ])('does not recognize %s as a table', async (_what, text) => {
    expect(await refusal(Buffer.from(text))).toMatchObject({ code: 'unsupported_media_type' });
  });
});
