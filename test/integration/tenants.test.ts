import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem, Upload, UploadList, UploadPage, Usage } from '../../src/wire/documents.ts';
import { keyEntry, newApiKey, newSecret, newTicket } from '../helpers/access-file.ts';
import { getJson, putFile, requestJson, type JsonAnswer } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import { startService, type Service } from '../helpers/service.ts';
import { createTus } from '../helpers/tus-requests.ts';

/** All requests go to two API processes. No worker runs until the last test, so every accepted upload waits. */
let service: Service;
let folder: string;
let bytes: Buffer;

const KEYS = { acme: newApiKey('acme'), small: newApiKey('small'), other: newApiKey('other') };
const SECRET = newSecret();

const ACCESS = {
  tenants: {
    acme: {
      keys: [keyEntry('k1', KEYS.acme)],
      tickets: [{ kid: 'acme-1', alg: 'HS256', secret: SECRET }],
      limits: { storedBytes: 1e9 },
    },
    small: { keys: [keyEntry('k1', KEYS.small)], limits: { waiting: 5, receiving: 3 } },
    other: { keys: [keyEntry('k1', KEYS.other)] },
  },
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'du-access-'));
  const path = join(folder, 'access.json');
  await writeFile(path, JSON.stringify(ACCESS));
  const env = { ACCESS_FILE: path, SWEEP_PERIOD_MS: '300' };
  [service, bytes] = await Promise.all([startService({ apis: 2, workers: 0, env }), photo({ width: 60, height: 40 })]);
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
});

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** Sends to the API processes in turn. */
async function put(token: string, index = 0, query = '', id = randomUUID()): Promise<JsonAnswer<Upload & Problem>> {
  const url = service.urls[index % 2] ?? service.url;
  return await putFile(url, id, bytes, 'a.jpg', query, bearer(token));
}

async function form(token: string, names: readonly string[], fields: Record<string, string> = {}) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  for (const name of names) body.append('file', new Blob([new Uint8Array(bytes)]), name);
  const init = { method: 'POST', headers: bearer(token), body };
  return await requestJson<UploadList & Problem>(`${service.url}/uploads`, init);
}

async function race(token: string, count: number): Promise<JsonAnswer<Upload & Problem>[]> {
  return await Promise.all(Array.from({ length: count }, (_, index) => put(token, index)));
}

const isCode = (code: string) => (answer: JsonAnswer<Problem>) => answer.body.code === code;

describe('a limit', () => {
  test('is never exceeded by requests that race over several processes', async () => {
    const answers = await race(KEYS.small, 24);
    const rejected = answers.filter(({ status }) => status === 429);
    const accepted = answers.filter(({ status }) => status === 202);
    expect(rejected).toHaveLength(24 - accepted.length);
    expect(rejected.filter(isCode('quota_exceeded'))).toHaveLength(rejected.length);
    expect(rejected.every(({ headers }) => Number(headers.get('retry-after')) >= 1)).toBe(true);
    expect(accepted.length).toBeGreaterThan(0);
    expect(accepted.length).toBeLessThanOrEqual(5);
    // The first requests may have been rejected because all receiving places were taken.
    for (let left = 5 - accepted.length; left > 0; left -= 1) expect((await put(KEYS.small)).status).toBe(202);
    expect((await put(KEYS.small)).body).toMatchObject({ code: 'quota_exceeded', limit: 'waiting', status: 429 });
    const { body } = await getJson<Usage>(`${service.url}/usage`, bearer(KEYS.small));
    expect(body).toMatchObject({
      tenant: 'small',
      limits: { waiting: 5, receiving: 3, storedBytes: null },
      use: { waiting: 5, receiving: 0, uploadsPerDay: 5, storedBytes: 5 * bytes.length },
    });
  });

  test('of a ticket is never exceeded either', async () => {
    const ticket = await newTicket('acme-1', SECRET, { jti: 'five', upload: { maxFiles: 5 } });
    const answers = await race(ticket, 50);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(5);
    expect(answers.filter(isCode('ticket_forbids')).map(({ status }) => status)).toEqual(Array(45).fill(403));
  });

  test('rejects one file of a form and keeps the others', async () => {
    const names = ['1.jpg', '2.jpg', '3.jpg'];
    const ticket = await newTicket('acme-1', SECRET, { jti: 'two', upload: { maxFiles: 2 } });
    const { status, body } = await form(ticket, names);
    expect(status).toBe(202);
    expect(body.uploads.map(({ state, error }) => [state, error?.code])).toEqual([
      ['queued', undefined],
      ['queued', undefined],
      ['failed', 'ticket_forbids'],
    ]);
    const shown = await getJson<Upload>(`${service.url}/uploads/${body.uploads[2]?.id ?? ''}`);
    expect(shown.body).toMatchObject({ state: 'failed', tenant: 'acme', error: { code: 'ticket_forbids' } });
  });
});

describe('metadata', () => {
  const METADATA = { order: 7, tags: [], nested: { empty: {} } };
  const JSON_TEXT = JSON.stringify(METADATA);

  test('comes with an API key: in a field, in the query, or in Upload-Metadata', async () => {
    const sent = await form(KEYS.acme, ['1.jpg'], { metadata: JSON_TEXT });
    const raw = await put(KEYS.acme, 0, `?metadata=${encodeURIComponent(JSON_TEXT)}`);
    const resumable = await createTus(service.url, {
      'Upload-Length': String(bytes.length),
      'Upload-Metadata': `metadata ${Buffer.from(JSON_TEXT).toString('base64')}`,
      ...bearer(KEYS.acme),
    });
    const created = await getJson<Upload>(`${service.url}/uploads/${resumable}`);
    for (const upload of [sent.body.uploads[0], raw.body, created.body])
      expect(upload).toMatchObject({ tenant: 'acme', metadata: METADATA });
  });

  test('comes from the ticket, and not from a request with a ticket', async () => {
    const ticket = await newTicket('acme-1', SECRET, { upload: { metadata: METADATA } });
    const { body } = await put(ticket, 0, '?metadata={"order":8}');
    expect([body.metadata, body.tenant]).toEqual([METADATA, 'acme']);
  });

  test.each(['[]', '{', '{"__proto__":1}', JSON.stringify({ a: 'x'.repeat(4096) })])(
    'is rejected before a file is stored if it is wrong (%#)',
    async (json) => {
      const answers = [
        await put(KEYS.acme, 0, `?metadata=${encodeURIComponent(json)}`),
        await form(KEYS.acme, ['1.jpg'], { metadata: json }),
      ];
      expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
        [400, 'bad_metadata'],
        [400, 'bad_metadata'],
      ]);
    },
  );
});

describe('the list of uploads', () => {
  const list = async (query: string, token = KEYS.other) =>
    (await getJson<UploadPage & Problem>(`${service.url}/uploads${query}`, bearer(token))).body;

  test('has only the uploads of the tenant, newest first, in pages', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) ids.unshift((await put(KEYS.other, index)).body.id);
    const whole = await list('');
    expect([whole.uploads.map(({ id }) => id), whole.next]).toEqual([ids, null]);
    const first = await list('?state=queued&limit=2');
    const second = await list(`?state=queued&limit=2&cursor=${first.next ?? ''}`);
    expect([first, second].map(({ uploads }) => uploads.map(({ id }) => id))).toEqual([ids.slice(0, 2), ids.slice(2)]);
    expect((await list('?state=failed')).uploads).toEqual([]);
    await requestJson(`${service.url}/uploads/${ids[0] ?? ''}`, { method: 'DELETE' });
    expect((await list('')).uploads.map(({ id }) => id)).toEqual(ids.slice(1));
  });

  test('needs an API key', async () => {
    const ticket = await newTicket('acme-1', SECRET);
    expect((await list('', ticket)).code).toBe('unauthorized');
    expect((await getJson<Problem>(`${service.url}/usage`)).body).toMatchObject({ status: 401, code: 'unauthorized' });
  });
});

test('tenant, metadata and use come back from the storage if Redis returns empty', async () => {
  const metadata = { order: 'kept' };
  const { body: sent } = await put(KEYS.other, 0, `?metadata=${encodeURIComponent(JSON.stringify(metadata))}`);
  await service.redis.restart();
  await eventually(
    'Redis to be empty',
    async () => (await getJson(`${service.url}/uploads/${sent.id}`)).status === 404,
  );
  await service.addWorker();
  const back = await eventually('the upload', async () => {
    const { body } = await getJson<Upload>(`${service.url}/uploads/${sent.id}`);
    return body.state === 'completed' && body;
  });
  expect(back).toMatchObject({ tenant: 'other', metadata });
  const uploads = await eventually('all uploads of the tenant', async () => {
    const { body } = await getJson<UploadPage>(`${service.url}/uploads?state=completed`, bearer(KEYS.other));
    return body.uploads.length === 3 && body.uploads;
  });
  expect(uploads.map(({ id }) => id)).toContain(sent.id);
  const { body } = await getJson<Usage>(`${service.url}/usage`, bearer(KEYS.other));
  expect(body.use).toMatchObject({ waiting: 0, uploadsPerDay: 3, storedBytes: 3 * bytes.length });
});
