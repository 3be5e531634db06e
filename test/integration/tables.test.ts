import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { fromBufferPromise } from 'yauzl';
import type { Problem, Progress, Upload, UploadList } from '../../src/wire/documents.ts';
import { uploadSchema } from '../../src/wire/upload-schemas.ts';
import { getJson, postFiles, putFile, requestJson } from '../helpers/client.ts';
import { endWithNothingLeft } from '../helpers/end-with-nothing-left.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { tableResult } from '../helpers/results.ts';
import { startService, type Service } from '../helpers/service.ts';
import { sheetRow, sheetXml, workbook, workbookParts } from '../helpers/workbook.ts';
import { zipFile } from '../helpers/zip-file.ts';
import { filesOfUpload } from '../helpers/stored-files.ts';

const MAX_LINE_BYTES = 50_000;
let service: Service;

beforeAll(async () => {
  service = await startService({ env: { TABLE_MAX_LINE_BYTES: String(MAX_LINE_BYTES), TABLE_MAX_COLUMNS: '50' } });
});
endWithNothingLeft(() => service);

async function put(bytes: Buffer | string, options?: unknown): Promise<Upload> {
  const query = `?timeout=${LONG_HOLD_MS}${options === undefined ? '' : `&options=${encodeURIComponent(JSON.stringify(options))}`}`;
  const { status, body } = await putFile<Upload>(service.url, randomUUID(), Buffer.from(bytes), 'table.csv', query);
  expect([status, body]).toEqual([200, expect.objectContaining({ id: expect.any(String) })]);
  return body;
}

async function filesOf(id: string): Promise<string[]> {
  return (await filesOfUpload(service.directory, id)).map((path) => basename(path));
}

describe('a table', () => {
  test('is recognized by its bytes and processed, and its rows can be downloaded', async () => {
    const upload = await put('\ufeffcity;people;capital\r\nZürich;434008;false\r\nBern;;TRUE\r\n"Basel;1;true\r\n');
    expect(uploadSchema.parse(upload)).toMatchObject({
      state: 'completed',
      file: { type: 'text/csv', name: 'table.csv' },
      progress: { percent: 100, stage: 'done' },
    });
    const result = tableResult(upload);
    expect(result).toEqual({
      kind: 'table',
      format: 'csv',
      encoding: 'utf-8',
      encodingCertainty: 1,
      delimiter: ';',
      sheet: null,
      hasHeader: true,
      columns: [
        { name: 'city', type: 'string', nullCount: 0 },
        { name: 'people', type: 'integer', nullCount: 1 },
        { name: 'capital', type: 'boolean', nullCount: 0 },
      ],
      rowCount: 2,
      firstRows: [
        ['Zürich', 434008, false],
        ['Bern', null, true],
      ],
      errors: [{ line: 4, code: 'stray_quote', message: expect.stringMatching(/quote/) }],
      errorCount: 1,
      rowsSkipped: 1,
      warnings: [],
      jsonLines: { size: 96, url: `/variants/${upload.publicId}/rows.jsonl` },
      csv: { url: `/variants/${upload.publicId}/rows.csv` },
      xlsx: { url: `/variants/${upload.publicId}/rows.xlsx` },
    });
    const rows = await fetch(service.url + result.jsonLines.url);
    expect(await rows.text()).toBe(
      '{"city":"Zürich","people":434008,"capital":false}\n{"city":"Bern","people":null,"capital":true}\n',
    );
    expect([rows.status, rows.headers.get('content-type'), rows.headers.get('content-length')]).toEqual([
      200,
      'application/jsonl; charset=utf-8',
      '96',
    ]);
    expect(rows.headers.get('content-disposition')).toMatch(/^attachment; filename="rows\.jsonl"/);
    expect([rows.headers.get('x-content-type-options'), rows.headers.get('cache-control')]).toEqual([
      'nosniff',
      'public, max-age=31536000, immutable',
    ]);
    const csv = await fetch(service.url + (result.csv?.url ?? ''));
    expect(await csv.text()).toBe('city,people,capital\r\nZürich,434008,false\r\nBern,,true\r\n');
    const workbook = await fetch(service.url + (result.xlsx?.url ?? ''));
    const again = await put(Buffer.from(await workbook.arrayBuffer()));
    expect(tableResult(again)).toMatchObject({ format: 'xlsx', columns: result.columns, firstRows: result.firstRows });
    const part = await fetch(service.url + result.jsonLines.url, { headers: { Range: 'bytes=0-7' } });
    expect([part.status, await part.text()]).toEqual([206, '{"city":']);
  });

  test('is read according to its options', async () => {
    const upload = await put('name\nAda\nGrace\n', { delimiter: ',', header: false });
    expect(tableResult(upload)).toMatchObject({
      hasHeader: false,
      columns: [{ name: 'column_1', type: 'string' }],
      rowCount: 3,
    });
  });

  test('may be sent with pictures in one request', async () => {
    const files = [
      { name: 'a.csv', bytes: Buffer.from('a,b\n1,2\n') },
      { name: 'b.jpg', bytes: await photo({ width: 40, height: 30 }) },
      { name: 'c.tsv', bytes: Buffer.from('a\tb\n1\t2\n') },
    ];
    const { body } = await postFiles<UploadList>(service.url, files, `?timeout=${LONG_HOLD_MS}`);
    expect(body.uploads.map(({ result, file }) => [result?.kind, file.type])).toEqual([
      ['table', 'text/csv'],
      ['picture', 'image/jpeg'],
      ['table', 'text/tab-separated-values'],
    ]);
    expect(await namesInArchive(body.uploads, 'original')).toEqual(['a.csv', 'b.jpg', 'c.tsv']);
    const derived = await namesInArchive(body.uploads, 'variants');
    expect(derived.filter((name) => name.includes('rows'))).toEqual(['a/rows.jsonl', 'c/rows.jsonl']);
    expect(derived.filter((name) => name.startsWith('b/')).length).toBeGreaterThan(0);
  });

  async function namesInArchive(uploads: readonly Upload[], what: string): Promise<string[]> {
    const query = uploads.map(({ id }) => `upload=${id}`).join('&');
    const response = await fetch(`${service.url}/archive?${query}&what=${what}`);
    expect(response.status).toBe(200);
    const zip = await fromBufferPromise(Buffer.from(await response.arrayBuffer()));
    const names: string[] = [];
    for await (const { fileName } of zip.eachEntry()) names.push(fileName);
    return names;
  }

  test('may be a sheet of a workbook', async () => {
    const bytes = workbook({
      sheets: { A: sheetRow(1, ['x']), B: sheetRow(1, ['id', 'name']) + sheetRow(2, [1, 'Zürich']) },
    });
    const upload = await put(bytes, { sheet: 'B' });
    expect(upload.file.type).toBe('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet');
    expect(uploadSchema.parse(upload).result).toMatchObject({
      kind: 'table',
      format: 'xlsx',
      sheet: 'B',
      rowCount: 1,
      firstRows: [[1, 'Zürich']],
    });
    expect(await (await fetch(`${service.url}/variants/${upload.publicId}/rows.jsonl`)).text()).toBe(
      '{"id":1,"name":"Zürich"}\n',
    );
    expect(await put(bytes, { sheet: 'C' })).toMatchObject({
      state: 'failed',
      error: { code: 'bad_options', status: 400, final: true },
      progress: { attempt: 1 },
    });
  });

  test('leaves nothing after its deletion', async () => {
    const { id, publicId } = await put('a,b\n1,2\n');
    expect(await filesOf(id)).toContain('rows.jsonl');
    expect((await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' })).status).toBe(204);
    await eventually('its files to go', async () => (await filesOf(id)).length === 0);
    expect((await fetch(`${service.url}/variants/${publicId}/rows.jsonl`)).status).toBe(404);
  });

  test('has rows before it has a result, under one name only', async () => {
    const { publicId } = await put('a,b\n1,2\n');
    for (const name of ['rows', '160', 'rows.json', 'rows.jsonl.part'])
      expect((await fetch(`${service.url}/variants/${publicId}/${name}`)).status).toBe(404);
  });
});

describe('a table from practice', () => {
  const sheets = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [
      `Sheet ${index + 1}`,
      sheetRow(1, ['id', 'name']) + sheetRow(2, [index, 'x']),
    ]),
  );
  const wide = sheetXml(sheetRow(1, ['id', 'name']) + sheetRow(2, [7, 'x'])).replace(
    '<sheetData>',
    '<dimension ref="A1:XFD1048576"/><sheetData>',
  );
  const claiming = workbook({ sheets: { One: '' }, more: [{ name: 'xl/worksheets/sheet1.xml', bytes: wide }] });

  test.each<[string, Buffer | string, object]>([
    [
      'mixed line ends',
      'a,b\r\n1,2\n3,4\r5,6\r\n',
      {
        hasHeader: true,
        rowCount: 3,
        errorCount: 0,
        firstRows: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      },
    ],
    [
      'UTF-16',
      Buffer.from('\ufeffcity,n\r\nZürich,1\r\n', 'utf16le'),
      { encoding: 'utf-16le', columns: [{ name: 'city' }, { name: 'n' }], firstRows: [['Zürich', 1]] },
    ],
    ['Latin-1', Buffer.from('city,n\nZürich,1\n', 'latin1'), { encoding: 'windows-1252', firstRows: [['Zürich', 1]] }],
    [
      'no header',
      '1,2\n3,4\n',
      { hasHeader: false, columns: [{ name: 'column_1', type: 'integer' }, { name: 'column_2' }], rowCount: 2 },
    ],
    ['ten sheets', workbook({ sheets }), { format: 'xlsx', sheet: 'Sheet 1', rowCount: 1, firstRows: [[0, 'x']] }],
    [
      'a dimension of all cells that a sheet can have',
      claiming,
      { rowCount: 1, columns: [{ name: 'id' }, { name: 'name' }] },
    ],
  ])('with %s is read', async (_what, bytes, result) => {
    expect((await put(bytes)).result).toMatchObject(result);
  });

  test('with texts that look like formulas or JSON keeps them as texts in their rows', async () => {
    const formulas = [
      '=1+1',
      '@SUM(A1:A9)',
      '+1',
      '-2+3',
      '=HYPERLINK(""http://x"",""y"")',
      '""},{""a"":""b',
      '""}\n{""a"":""b',
    ];
    const upload = await put(`id,text\n${formulas.map((formula, index) => `${index},"${formula}"`).join('\n')}\n`);
    expect(tableResult(upload)).toMatchObject({
      rowCount: formulas.length,
      columns: [{ type: 'integer' }, { type: 'string' }],
    });
    const lines = (await (await fetch(service.url + tableResult(upload).jsonLines.url)).text())
      .split('\n')
      .slice(0, -1);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      formulas.map((formula, id) => ({ id, text: formula.replaceAll('""', '"') })),
    );
  });
});

describe('a table that cannot be processed', () => {
  const row = sheetRow(1, ['a', 'b']);
  const parts = workbookParts({ sheets: { One: row } });

  test.each<[string, Buffer | string, string]>([
    ['has one line of 50 MB', `a,b\n1,2\n${'x'.repeat(50_000_000)}`, 'table_line_too_long'],
    ['unpacks to too many bytes', workbook({ sheets: { One: row + ' '.repeat(20_000_000) } }), 'table_too_large'],
    ['is cut in half', workbook({ sheets: { One: row } }).subarray(0, 900), 'table_damaged'],
    ['has a row beyond the last one', workbook({ sheets: { One: sheetRow(1_048_577, ['a']) } }), 'table_damaged'],
    [
      'has encrypted parts',
      zipFile(parts.map((part) => ({ ...part, isEncrypted: part.name.includes('sheet1') }))),
      'table_encrypted',
    ],
    ['is never a table', 'a,b\n1,2\n3,\u00004\n', 'table_damaged'],
    ['has a line without end', `a,b\n${'x'.repeat(MAX_LINE_BYTES)},y\n`, 'table_line_too_long'],
    [
      'has too many columns',
      `${Array.from({ length: 51 }, (_, index) => `c${index}`).join(',')}\n`.repeat(2),
      'table_too_large',
    ],
  ])('because it %s fails at its first attempt with a reason, and leaves only its bytes', async (_why, text, code) => {
    const padded = typeof text === 'string' && text.includes('\0') ? `a,b\n${'1,2\n'.repeat(20_000)}\0` : text;
    const upload = await put(padded);
    expect(upload).toMatchObject({
      state: 'failed',
      result: null,
      error: { code, status: 422, state: 'failed', final: true },
      progress: { attempt: 1 },
    });
    expect(upload.error?.detail).not.toMatch(/\/|node_modules|undefined/);
    expect((await filesOf(upload.id)).filter((name) => !/\.(original|manifest\.json)$/.test(name))).toEqual([]);
    const { status, body } = await getJson<Problem>(`${service.url}/uploads/${upload.id}/result`);
    expect([status, body.code]).toEqual([422, code]);
  });

  test.each([
    ['prose named .csv', 'Dear John, how are you?\nI am fine, thanks.\n'],
    ['zero bytes', 'a,b\n1,\0\n'],
    ['an archive of something else', zipFile([{ name: 'notes.txt', bytes: 'a,b\n1,2\n' }])],
    ['an encrypted workbook', Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(4000)])],
  ])('because it is %s is rejected before it is stored', async (what, text) => {
    const id = randomUUID();
    const { status, body } = await putFile<Problem>(service.url, id, Buffer.from(text), 'table.csv');
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    if (what.includes('encrypted')) expect(body.detail).toMatch(/without a password/);
    expect(await filesOf(id)).toEqual([]);
  });

  test('because its options are invalid is rejected with advice about them', async () => {
    const { status, body } = await putFile<Problem>(
      service.url,
      randomUUID(),
      Buffer.from('a,b\n1,2\n'),
      'a.csv',
      `?options=${encodeURIComponent('{"maxErrors":-1}')}`,
    );
    expect([status, body.code, body.detail]).toEqual([400, 'bad_options', expect.stringContaining('maxErrors')]);
  });
});

describe('a table that is being processed', () => {
  test('reports its progress, and stops at a cancel', async () => {
    const id = randomUUID();
    const big = Buffer.from(
      `id,name,text\n${'1,Ada,"some ""quoted"" text, to keep the parser busy"\n'.repeat(600_000)}`,
    );
    const { status } = await putFile<Upload>(service.url, id, big, 'big.csv');
    expect(status).toBe(202);
    const seen = await eventually('some of its rows to be read', async () => {
      const { body } = await getJson<Progress>(`${service.url}/uploads/${id}/progress`);
      return body.stage === 'rows' && body.percent > 35 && body;
    });
    const worker = service.workers[0]?.child;
    worker?.kill('SIGSTOP');
    expect(seen).toMatchObject({ state: 'processing', final: false });
    const late = await fetch(`${service.url}/variants/${await publicIdOf(id)}/rows.jsonl?timeout=0`);
    expect([late.status, late.headers.get('content-type'), late.headers.has('retry-after')]).toEqual([
      503,
      'application/problem+json',
      true,
    ]);
    expect((await filesOf(id)).some((name) => name.startsWith('rows.jsonl.'))).toBe(true);
    const { body } = await requestJson<Upload>(`${service.url}/uploads/${id}/cancel`, { method: 'POST' });
    worker?.kill('SIGCONT');
    expect(body.state).toBe('cancelled');
    await eventually('its files to go', async () => (await filesOf(id)).length === 0);
  });
});

async function publicIdOf(id: string): Promise<string> {
  return (await getJson<Upload>(`${service.url}/uploads/${id}`)).body.publicId;
}
