import Router from '@koa/router';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Transfers } from '../../../src/http/transfers.ts';
import { randomUUID } from 'node:crypto';
import { DeferredManager } from '../../../src/deferred/deferred-manager.ts';
import { deferredMiddleware } from '../../../src/deferred/middleware.ts';
import { ServiceError } from '../../../src/errors.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { createKinds } from '../../../src/kinds/kinds.ts';
import { XLSX_TYPE } from '../../../src/kinds/table.ts';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import type { UploadRecords } from '../../../src/record/record.ts';
import { contentRoutes, variantRoutes, type FileRouteParts } from '../../../src/routes/file-routes.ts';
import { originalKey } from '../../../src/storage/keys.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { eventually } from '../../helpers/eventually.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';
import { FakeRecords, ID, openRegistry, recordOf } from '../record/states.ts';

let served: Served;
let temp: TempStorage;
let records: FakeRecords;
let transfers: Transfers;

beforeEach(async () => {
  temp = await openTempStorage();
  records = new FakeRecords();
  transfers = new Transfers();
  const router = new Router({ strict: true });
  const parts = partsOf(records);
  contentRoutes(router, parts);
  variantRoutes(router, parts);
  served = await serve(problemResponses(silentLog), routesOf(router));
});
afterEach(async () => {
  await served.close();
  await temp.remove();
});

function partsOf(read: FakeRecords): FileRouteParts {
  const idOf = async (publicId: string) => (publicId === 'public' ? ID : undefined);
  return {
    records: Object.assign(read, { idOf }) as unknown as UploadRecords,
    registry: openRegistry(),
    storage: temp.storage,
    transfers,
    kinds: createKinds(),
    addressOf: () => '',
    defaultTimeoutMs: 0,
    maxTimeoutMs: 60_000,
  };
}

async function ask(path: string) {
  const response = await fetch(served.url + path);
  const text = await response.text();
  const code = text.startsWith('{') ? (JSON.parse(text) as { code: string }).code : undefined;
  return { status: response.status, text, code, header: (name: string) => response.headers.get(name) };
}

const VARIANT = {
  name: '160',
  format: 'jpeg',
  width: 1,
  height: 1,
  size: 5,
  url: '/variants/public/160',
  key: `0b/${ID}/attempt-1/160.jpeg`,
  sha256: 'f'.repeat(64),
};

async function stored(more: Partial<UploadRecord> = {}): Promise<UploadRecord> {
  const record = recordOf({ receivedBytes: 5, ...more });
  await putObject(temp.storage, originalKey(record.id, record.fencingToken), Buffer.from('bytes'));
  await putObject(temp.storage, VARIANT.key, Buffer.from('small'));
  records.set(record);
  return record;
}

describe('the rows of a table', () => {
  const ROWS = '{"id":1,"name":"=x"}\n';

  async function storedTable(more: Partial<UploadRecord> = {}): Promise<void> {
    const key = `0b/${ID}/attempt-1/rows.jsonl`;
    await putObject(temp.storage, key, Buffer.from(ROWS));
    const columns = [
      { name: 'id', type: 'integer', nullCount: 0 },
      { name: 'name', type: 'string', nullCount: 0 },
    ];
    const rows = { name: 'rows.jsonl', format: 'jsonl', size: ROWS.length, url: '', key, sha256: 'e'.repeat(64) };
    records.set(
      recordOf({
        state: 'completed',
        type: 'text/csv',
        result: { kind: 'table', rowCount: 1, columns } as unknown as UploadRecord['result'],
        variants: { 'rows.jsonl': { ...rows, isAttachment: true } },
        ...more,
      }),
    );
  }

  test('are sent as CSV, as an attachment that never changes', async () => {
    await storedTable();
    const { status, text, header } = await ask('/variants/public/rows.csv');
    expect([status, text, header('content-type')]).toEqual([200, "id,name\r\n1,'=x\r\n", 'text/csv; charset=utf-8']);
    expect(header('content-disposition')).toContain('filename="rows.csv"');
    expect([header('etag'), header('cache-control')]).toEqual([
      `"${'e'.repeat(64)}-csv1"`,
      'public, max-age=31536000, immutable',
    ]);
  });

  test('are sent as a workbook', async () => {
    await storedTable();
    const response = await fetch(`${served.url}/variants/public/rows.xlsx`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([response.status, bytes.subarray(0, 2).toString()]).toEqual([200, 'PK']);
    expect(response.headers.get('content-type')).toBe(XLSX_TYPE);
  });

  test('are not sent again to a client that has them (304)', async () => {
    await storedTable();
    const headers = { 'If-None-Match': `"${'e'.repeat(64)}-csv1"` };
    expect((await fetch(`${served.url}/variants/public/rows.csv`, { headers })).status).toBe(304);
  });

  test('are made from a large result too, which no other file needs', async () => {
    await storedTable();
    const known = records.now.get(ID);
    const result = known?.record.result;
    if (known === undefined || result === undefined || result === null) throw new Error('the table has no result');
    records.set({ ...known.record, result: undefined });
    expect((await ask('/variants/public/rows.jsonl')).text).toBe(ROWS);
    expect((await ask('/variants/public/rows.csv')).code).toBe('unknown_variant');
    records.results.set(ID, result);
    expect((await ask('/variants/public/rows.csv')).text).toBe("id,name\r\n1,'=x\r\n");
    expect(records.resultReads).toBe(2);
  });

  test('exist in no other form, and not for a table that failed', async () => {
    await storedTable();
    expect((await ask('/variants/public/rows.ods')).code).toBe('unknown_variant');
    await storedTable({ state: 'failed', result: null, variants: {} });
    expect((await ask('/variants/public/rows.csv')).code).toBe('unknown_variant');
  });

  test('have no workbook if they are too many for one (422)', async () => {
    await storedTable({
      result: { kind: 'table', rowCount: 60_000_000, columns: [{ name: 'a' }] } as unknown as UploadRecord['result'],
    });
    const { status, code } = await ask('/variants/public/rows.xlsx');
    expect([status, code]).toEqual([422, 'table_too_large']);
  });
});

describe('the uploaded bytes', () => {
  test('are sent as an attachment with their name and type', async () => {
    await stored();
    const { status, text, header } = await ask(`/uploads/${ID}/content`);
    expect([status, text, header('content-type'), header('etag')]).toEqual([
      200,
      'bytes',
      'image/jpeg',
      `"${'a'.repeat(64)}"`,
    ]);
    expect(header('content-disposition')).toBe('attachment; filename="a.jpg"; filename*=UTF-8\'\'a.jpg');
    expect(header('cache-control')).toBe('private, no-cache');
  });

  test.each([
    ['while it is received', { state: 'receiving', stored: false, sha256: null }, 409, 'content_not_stored'],
    ['after it was rejected', { state: 'failed', stored: false, sha256: null }, 409, 'content_not_stored'],
    ['after it was cancelled', { state: 'cancelled', stored: false }, 410, 'upload_cancelled'],
    ['after it was discarded', { state: 'discarded', stored: false }, 410, 'upload_discarded'],
    ['after it was deleted', { state: 'completed', deleted: true }, 410, 'upload_gone'],
    ['after its retention', { state: 'completed', expiresAtMs: 1 }, 410, 'upload_gone'],
  ] as const)('are not available %s', async (_when, more, status, code) => {
    await stored(more);
    expect(await ask(`/uploads/${ID}/content`)).toMatchObject({ status, code });
  });

  test('are a 404 for an unknown upload, and a 400 for an invalid id', async () => {
    expect(await ask(`/uploads/${ID}/content`)).toMatchObject({ status: 404, code: 'unknown_upload' });
    expect(await ask('/uploads/public/content')).toMatchObject({ status: 400, code: 'bad_upload_id' });
  });
});

describe('a variant', () => {
  test('that exists may be shown by any site and cached for ever', async () => {
    await stored({ variants: { 160: VARIANT } });
    const { status, text, header } = await ask('/variants/public/160');
    expect([status, text, header('content-type'), header('etag')]).toEqual([
      200,
      'small',
      'image/jpeg',
      `"${VARIANT.sha256}"`,
    ]);
    expect([header('cache-control'), header('cross-origin-resource-policy')]).toEqual([
      'public, max-age=31536000, immutable',
      'cross-origin',
    ]);
    expect(header('content-disposition')).toBeNull();
  });

  test('that does not exist yet is a placeholder without caching if the client does not wait', async () => {
    await stored();
    const { status, header } = await ask('/variants/public/160?timeout=0');
    expect([status, header('content-type'), header('cache-control'), header('x-timed-out')]).toEqual([
      200,
      'image/svg+xml',
      'no-store',
      'true',
    ]);
  });

  test('may still appear while the type of the upload is unknown', async () => {
    await stored({ state: 'receiving', type: null, stored: false });
    expect(await ask('/variants/public/160')).toMatchObject({ status: 200 });
    expect(await ask('/variants/public/161')).toMatchObject({ status: 404 });
  });

  test.each([null, 'image/jpeg'])('has only the names in the options if the type is %p', async (type) => {
    await stored({ state: 'receiving', type, stored: false, options: { variants: [{ name: 'card', width: 4 }] } });
    expect(await ask('/variants/public/card')).toMatchObject({ status: 200 });
    expect(await ask('/variants/public/160')).toMatchObject({ status: 404, code: 'unknown_variant' });
  });

  test.each([
    'unknown',
    '160.jpeg',
    '0160',
    'constructor',
    'toString',
    '__proto__',
    'hasOwnProperty',
    '%00',
    '..%2f160',
  ])('whose name can never exist is a 404 (%s)', async (name) => {
    await stored({ variants: { 160: VARIANT } });
    expect(await ask(`/variants/public/${name}`)).toMatchObject({ status: 404, code: 'unknown_variant' });
  });

  test.each(['failed', 'cancelled', 'discarded', 'completed'] as const)(
    'that is missing in a %s upload is a 404',
    async (state) => {
      await stored({ state });
      expect(await ask('/variants/public/160')).toMatchObject({ status: 404, code: 'unknown_variant' });
    },
  );

  test('of an unknown public id, or requested with the secret id, is a 404', async () => {
    await stored({ variants: { 160: VARIANT } });
    for (const id of ['other', ID])
      expect(await ask(`/variants/${id}/160`)).toMatchObject({ status: 404, code: 'unknown_variant' });
  });

  test.each([{ deleted: true }, { state: 'completed' as const, expiresAtMs: 1 }])(
    'of a removed upload is a 404 (%j)',
    async (more) => {
      await stored({ variants: { 160: VARIANT }, ...more });
      expect(await ask('/variants/public/160')).toMatchObject({ status: 404, code: 'unknown_variant' });
    },
  );

  test('with an invalid timeout is a 400', async () => {
    await stored({ variants: { 160: VARIANT } });
    expect(await ask('/variants/public/160?timeout=x')).toMatchObject({ status: 400, code: 'bad_timeout' });
  });
});

describe('a file that is deleted while it is sent', () => {
  const FILE = Buffer.alloc(32 * 1024 * 1024);

  test.each(['/uploads/' + ID + '/content', '/variants/public/160'])(
    'ends the connection of %s, and a finished transfer leaves no listener',
    async (path) => {
      const sizeBytes = FILE.length;
      const record = await stored({ receivedBytes: sizeBytes, variants: { 160: { ...VARIANT, size: sizeBytes } } });
      const isVariant = path.startsWith('/variants/');
      await putObject(temp.storage, isVariant ? VARIANT.key : originalKey(record.id, record.fencingToken), FILE);
      const stalled = await served.connect();
      let isCut = false;
      stalled.on('error', () => undefined).on('close', () => (isCut = true));
      stalled.pause();
      stalled.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await eventually('the transfer', () => transfers.size === 1);
      transfers.end(randomUUID());
      expect(transfers.size).toBe(1);
      transfers.end(ID);
      stalled.resume();
      await eventually('the connection to be cut', () => isCut);
      expect(stalled.bytesRead).toBeLessThan(sizeBytes);
      const finished = await fetch(served.url + path);
      for await (const _chunk of finished.body ?? []) continue;
      expect(finished.status).toBe(200);
      await eventually('the transfers to be released', () => transfers.size === 0);
    },
  );
});

describe('a variant that a client waits for', () => {
  test('is sent even if its upload was completed during a gap in the events while Redis was away', async () => {
    const registry = openRegistry();
    const router = new Router({ strict: true });
    variantRoutes(router, { ...partsOf(records), registry });
    const manager = new DeferredManager({ reportFault: (error) => expect(error).toBeUndefined() });
    const waiting = await serve(problemResponses(silentLog), deferredMiddleware(manager), routesOf(router));
    await stored();
    const asked = fetch(`${waiting.url}/variants/public/160?timeout=60000`);
    await eventually('it to be held', () => manager.held === 1);
    records.fault = new ServiceError('service_unavailable', 'Away.');
    const before = records.reads;
    registry.wakeAll();
    await eventually('a read that fails', () => records.reads > before);
    records.fault = undefined;
    await stored({ state: 'completed', variants: { 160: VARIANT } });
    expect(await (await asked).text()).toBe('small');
    await eventually('it to be released', () => registry.size === 0);
    await waiting.close();
  });
});
