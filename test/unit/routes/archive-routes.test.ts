import Router from '@koa/router';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fromBufferPromise } from 'yauzl';
import { problemResponses } from '../../../src/http/problem.ts';
import { Transfers } from '../../../src/http/transfers.ts';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import { archiveRoutes } from '../../../src/routes/archive-routes.ts';
import { originalKey } from '../../../src/storage/keys.ts';
import { putObject, type Storage } from '../../../src/storage/storage.ts';
import { eventually } from '../../helpers/eventually.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { routesOf, serve, type Served } from '../http/serve.ts';
import { FakeRecords, openRegistry, recordOf } from '../record/states.ts';

const MAX_BYTES = 100;

let served: Served;
let temp: TempStorage;
let records: FakeRecords;
let transfers: Transfers;
/** If set, makes the bytes of every file in place of the stored bytes. */
let openStream: (() => Readable) | undefined;

beforeEach(async () => {
  temp = await openTempStorage();
  records = new FakeRecords();
  transfers = new Transfers();
  openStream = undefined;
  const router = new Router({ strict: true });
  const storage: Pick<Storage, 'read'> = { read: async (key) => openStream?.() ?? (await temp.storage.read(key)) };
  archiveRoutes(router, {
    records,
    registry: openRegistry(),
    storage,
    transfers,
    addressOf: () => '',
    maxArchiveBytes: MAX_BYTES,
  });
  served = await serve(problemResponses(silentLog), routesOf(router));
});
afterEach(async () => {
  await served.close();
  await temp.remove();
});

async function stored(content: string, more: Partial<UploadRecord> = {}): Promise<UploadRecord> {
  const record = recordOf({ id: randomUUID(), state: 'completed', receivedBytes: Buffer.byteLength(content), ...more });
  await putObject(temp.storage, originalKey(record.id, record.fencingToken), Buffer.from(content));
  for (const variant of Object.values(record.variants))
    await putObject(temp.storage, variant.key, Buffer.from(variant.name));
  records.set(record);
  return record;
}

function variantOf(name: string, format: string, attempt: string): UploadRecord['variants'][string] {
  const key = `0b/0b0c7e4e-6f0b-4c58-9a43-0d5b8f0e6c11/${attempt}/${name}`;
  return { name, format, key, size: name.length, url: `/variants/p/${name}`, sha256: 'f'.repeat(64) };
}

const addressOf = (uploads: readonly { id: string }[], more = ''): string =>
  `${served.url}/archive?${uploads.map(({ id }) => `upload=${id}`).join('&')}${more}`;

async function filesOf(response: Response): Promise<[name: string, content: string][]> {
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(response.headers.get('content-length')).toBe(String(bytes.length));
  const zip = await fromBufferPromise(bytes);
  const found: [string, string][] = [];
  for await (const entry of zip.eachEntry())
    found.push([entry.fileName, await text(await zip.openReadStreamPromise(entry))]);
  return found;
}

/** Makes a stream with one byte. A test can push more. */
function endless(): Readable {
  const stream = new Readable({ read: () => undefined });
  stream.push('x');
  return stream;
}

describe('GET /archive', () => {
  test('sends the originals under their names, each once', async () => {
    const [a, b] = [await stored('one', { fileName: 'a.jpg' }), await stored('two', { fileName: 'a.jpg' })];
    const response = await fetch(addressOf([a, b, a]));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/zip']);
    expect(response.headers.get('content-disposition')).toContain('attachment; filename="uploads.zip"');
    expect(await filesOf(response)).toEqual([
      ['a.jpg', 'one'],
      ['a (2).jpg', 'two'],
    ]);
  });

  test('sends the derived files in a folder for each upload', async () => {
    const picture = await stored('x', {
      fileName: 'harbour.jpg',
      variants: { 1600: variantOf('1600', 'jpeg', 'attempt-1'), 640: variantOf('640', 'webp', 'attempt-1') },
    });
    const table = await stored('y', {
      fileName: 'harbour.csv',
      variants: { 'rows.jsonl': variantOf('rows.jsonl', 'jsonl', 'attempt-2') },
    });
    expect(await filesOf(await fetch(addressOf([picture, table], '&what=variants')))).toEqual([
      ['harbour/640.webp', '640'],
      ['harbour/1600.jpg', '1600'],
      ['harbour (2)/rows.jsonl', 'rows.jsonl'],
    ]);
  });

  test('answers HEAD with the size, and reads nothing', async () => {
    const a = await stored('one');
    const whole = await (await fetch(addressOf([a]))).arrayBuffer();
    openStream = () => {
      throw new Error('read');
    };
    const response = await fetch(addressOf([a]), { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length')]).toEqual([200, String(whole.byteLength)]);
  });

  test.each([
    ['is still received', { state: 'receiving' }, '', 409, 'upload_unfinished'],
    ['is processed', { state: 'processing' }, '', 409, 'upload_unfinished'],
    ['was cancelled', { state: 'cancelled', stored: false }, '', 410, 'upload_cancelled'],
    ['was discarded', { state: 'discarded', stored: false }, '', 410, 'upload_discarded'],
    ['was rejected', { state: 'failed', stored: false }, '', 409, 'content_not_stored'],
    ['was deleted', { deleted: true }, '', 410, 'upload_gone'],
    ['has expired', { expiresAtMs: 1 }, '', 410, 'upload_gone'],
    ['has no derived files', {}, '&what=variants', 404, 'unknown_variant'],
  ] as const)('answers with the problem of an upload that %s', async (_which, more, query, status, code) => {
    const [good, bad] = [
      await stored('one', { variants: { 640: variantOf('640', 'webp', 'attempt-1') } }),
      await stored('two', more),
    ];
    const response = await fetch(addressOf([good, bad], query));
    expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ code, id: bad.id })]);
  });

  test.each([
    ['an unknown id', `?upload=${randomUUID()}`, 404, 'unknown_upload'],
    ['a malformed id', '?upload=x', 400, 'bad_upload_id'],
    ['no id', '', 400, 'bad_request'],
    ['101 ids', `?${Array.from({ length: 101 }, () => `upload=${randomUUID()}`).join('&')}`, 400, 'bad_request'],
  ])('rejects %s', async (_which, query, status, code) => {
    const response = await fetch(`${served.url}/archive${query}`);
    expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ code })]);
  });

  test('rejects other words for "what" (400)', async () => {
    const response = await fetch(addressOf([await stored('one')], '&what=all'));
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ code: 'bad_request' })]);
  });

  test('rejects files that are too large together (413)', async () => {
    const half = 'x'.repeat(MAX_BYTES / 2);
    const [a, b, c] = [await stored(half), await stored(half), await stored('x')];
    expect((await fetch(addressOf([a, b]))).status).toBe(200);
    const response = await fetch(addressOf([a, b, c]));
    expect([response.status, await response.json()]).toEqual([
      413,
      expect.objectContaining({ code: 'archive_too_large' }),
    ]);
  });

  test('stops reading when its reader goes away', async () => {
    const a = await stored('x'.repeat(MAX_BYTES));
    const stream = endless();
    openStream = () => stream;
    const sent = get(addressOf([a]));
    sent.on('error', () => undefined);
    await once(sent, 'response');
    await eventually('a transfer', () => transfers.size === 1);
    sent.destroy();
    await eventually('the end of the reading', () => {
      stream.push('x');
      return stream.destroyed && transfers.size === 0;
    });
  });

  test('cuts the connection if an upload is deleted during the transfer', async () => {
    const a = await stored('x'.repeat(MAX_BYTES));
    openStream = endless;
    const response = await fetch(addressOf([a]));
    await eventually('a transfer', () => transfers.size === 1);
    transfers.end(a.id);
    await expect(response.arrayBuffer()).rejects.toThrow();
  });

  test('rejects an address that already receives 20 archives (429)', async () => {
    const a = await stored('x'.repeat(MAX_BYTES));
    openStream = endless;
    const held = new AbortController();
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => fetch(addressOf([a]), { signal: held.signal })),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    const refused = await fetch(addressOf([a]));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)]);
    held.abort();
    await eventually('a free place', async () => {
      const answer = await fetch(addressOf([a]));
      await answer.body?.cancel();
      return answer.status === 200;
    });
  });
});
