import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem, Upload } from '../../src/wire/documents.ts';
import { keyEntry, newApiKey, newSecret, newTicket, type Claims } from '../helpers/access-file.ts';
import { putFile, requestJson, type JsonAnswer } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { tinyPicture } from '../helpers/pictures.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { startService, type Service } from '../helpers/service.ts';
import { patchTus, tusRequest } from '../helpers/tus-requests.ts';

const APP = 'https://app.example';
const KEY = newApiKey('acme');
const SECRET = newSecret();
const CSV = Buffer.from('name,age\nAda,36\nAlan,41\n');
const PRESET = { variants: [{ name: 'card', width: 40, height: 40, fit: 'cover' }] };

/** Two API processes and no worker: uploads stay queued. */
let service: Service;
let directory: string;
let photo: Buffer;

async function writeAccess(tenants: unknown): Promise<void> {
  const path = join(directory, 'access.json');
  await writeFile(`${path}.new`, typeof tenants === 'string' ? tenants : JSON.stringify({ tenants }));
  await rename(`${path}.new`, path);
}

const ACME = {
  keys: [keyEntry('k1', KEY)],
  tickets: [{ kid: 'hs', alg: 'HS256', secret: SECRET }],
  presets: { avatar: PRESET },
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-access-'));
  photo = await tinyPicture();
  await writeAccess({ acme: ACME });
  service = await startService({
    apis: 2,
    workers: 0,
    env: { ACCESS_FILE: join(directory, 'access.json'), CORS_ORIGINS: APP },
  });
});

afterAll(async () => {
  await service.stop();
  await rm(directory, { recursive: true });
});

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

async function ticketFor(upload: unknown, claims: Claims = {}): Promise<string> {
  return await newTicket('hs', SECRET, { jti: randomUUID(), upload, ...claims });
}

async function expired(upload: unknown = {}): Promise<string> {
  return await ticketFor(upload, { iat: 1000, exp: 2000 });
}

async function put(
  bytes: Buffer,
  token?: string,
  id: string = randomUUID(),
  query = '',
): Promise<JsonAnswer<Upload & Problem>> {
  return await putFile(service.url, id, bytes, 'a.jpg', query, token === undefined ? {} : bearer(token));
}

async function post(
  parts: readonly (Buffer | string)[],
  headers: Record<string, string> = {},
  query = '',
): Promise<JsonAnswer<{ uploads: Upload[] } & Problem>> {
  const body = new FormData();
  for (const part of parts) {
    if (typeof part === 'string') body.append('options', part);
    else body.append('file', new Blob([new Uint8Array(part)]), 'a.jpg');
  }
  return await requestJson(`${service.url}/uploads${query}`, { method: 'POST', body, headers });
}

function outcome({ status, body }: JsonAnswer<{ code?: string }>): unknown[] {
  return [status, body.code];
}

describe('POST /uploads', () => {
  test('needs a ticket or an API key, and pages of listed origins can read the refusal', async () => {
    const refused = await post([photo], { Origin: APP });
    expect(outcome(refused)).toEqual([401, 'ticket_required']);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(refused.headers.get('access-control-allow-origin')).toBe(APP);
    expect(refused.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
  });

  test('is allowed to pages of listed origins with a ticket in the header', async () => {
    const preflight = await fetch(`${service.url}/uploads`, {
      method: 'OPTIONS',
      headers: {
        Origin: APP,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      },
    });
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
    expect((await post([photo], { Origin: APP, ...bearer(await ticketFor({})) })).status).toBe(202);
  });

  test('accepts a ticket in the query', async () => {
    expect((await post([photo], {}, `?ticket=${await ticketFor({})}`)).status).toBe(202);
  });

  test('gives an upload the tenant and the metadata of its ticket', async () => {
    const { body } = await post([photo], bearer(await ticketFor({ metadata: { user: 7 } })));
    expect(body.uploads[0]).toMatchObject({ tenant: 'acme', metadata: { user: 7 } });
  });

  test('rejects a file that the ticket does not allow, and keeps the other files', async () => {
    const ticket = await ticketFor({ types: ['image/*'], maxFileBytes: photo.length });
    const { status, body } = await post([CSV, photo, Buffer.concat([photo, Buffer.alloc(1)])], bearer(ticket));
    expect(status).toBe(202);
    expect(body.uploads.map(({ state, error }) => [state, error?.code])).toEqual([
      ['failed', 'ticket_forbids'],
      ['queued', undefined],
      ['failed', 'ticket_forbids'],
    ]);
    expect(outcome(await post([CSV], bearer(ticket)))).toEqual([403, 'ticket_forbids']);
  });

  test('rejects options if the ticket has a preset (403), which fixes them otherwise', async () => {
    const ticket = await ticketFor({ preset: 'avatar' });
    expect(outcome(await post(['{}', photo], bearer(ticket)))).toEqual([403, 'ticket_forbids']);
    const { body } = await post([photo], bearer(ticket));
    const id = body.uploads[0]?.id ?? '';
    const card = await fetch(`${service.url}${String(body.uploads[0]?.links.variants)}/card?timeout=0`);
    const other = await fetch(`${service.url}${String(body.uploads[0]?.links.variants)}/thumbnail?timeout=0`);
    expect([id.length, card.status, other.status]).toEqual([36, 200, 404]);
  });

  test('rejects a request before its body if Content-Length exceeds the ticket (403)', async () => {
    const ticket = await ticketFor({ maxFiles: 1, maxFileBytes: 1000 });
    const answer = await rawRequest(
      service.url,
      `POST /uploads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ticket}\r\n` +
        'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('ticket_forbids');
  });
});

describe('PUT /uploads/{id}', () => {
  test('needs a ticket only to create the upload', async () => {
    const id = randomUUID();
    expect(outcome(await put(photo, undefined, id))).toEqual([401, 'ticket_required']);
    expect(outcome(await put(photo, await expired(), id))).toEqual([401, 'ticket_expired']);
    expect((await fetch(`${service.url}/uploads/${id}`)).status).toBe(404);
    expect((await put(photo, await ticketFor({}), id)).body).toMatchObject({ id, state: 'queued', tenant: 'acme' });
    expect((await put(photo, await expired(), id)).body).toMatchObject({ id, state: 'queued', tenant: 'acme' });
    expect(outcome(await put(CSV, undefined, id))).toEqual([409, 'upload_conflict']);
    await fetch(`${service.url}/uploads/${id}/cancel`, { method: 'POST' });
    expect(outcome(await put(photo, undefined, id))).toEqual([401, 'ticket_required']);
    expect((await put(photo, KEY, id)).status).toBe(202);
  });

  test.each([
    ['continues an upload without a ticket, within the limits of the first ticket', () => photo, 202, undefined],
    [
      'rejects a retry that the first ticket does not allow (403)',
      () => Buffer.concat([photo, photo]),
      403,
      'ticket_forbids',
    ],
  ])('%s', async (_, bytes, status, code) => {
    const id = randomUUID();
    const ticket = await ticketFor({ maxFileBytes: photo.length, types: ['image/*'], preset: 'avatar' });
    const first = putOpen(id, ticket, photo.subarray(0, photo.length / 2));
    await eventually('the upload', async () => (await fetch(`${service.url}/uploads/${id}`)).status === 200);
    const retry = await put(bytes(), undefined, id);
    expect(outcome(retry)).toEqual([status, code]);
    if (status === 202) expect(retry.body).toMatchObject({ tenant: 'acme', state: 'queued' });
    first.abort();
  });

  test.each([
    ['a file that is too large', () => ({ maxFileBytes: 10 }), () => photo, ''],
    ['a file of another type', () => ({ types: ['text/csv'] }), () => photo, ''],
    ['options besides a preset', () => ({ preset: 'avatar' }), () => photo, '?options={}'],
    ['a file of another kind than the preset', () => ({ preset: 'avatar' }), () => CSV, ''],
  ])('rejects %s (403)', async (_, upload, bytes, query) => {
    const answer = await put(bytes(), await ticketFor(upload()), randomUUID(), query);
    expect(outcome(answer)).toEqual([403, 'ticket_forbids']);
  });

  test('cuts a body of unknown length at the size of the ticket (403)', async () => {
    const id = randomUUID();
    const open = putOpen(id, await ticketFor({ maxFileBytes: 5000 }), Buffer.concat([photo, Buffer.alloc(10_000)]));
    expect(outcome(await open.answer)).toEqual([403, 'ticket_forbids']);
    const { body } = await requestJson<Upload>(`${service.url}/uploads/${id}`);
    expect(body).toMatchObject({ state: 'failed', error: { code: 'ticket_forbids' } });
  });
});

/** Sends a part of a body of unknown length, and leaves the request open. */
function putOpen(
  id: string,
  ticket: string,
  bytes: Buffer,
): { answer: Promise<JsonAnswer<Problem>>; abort: () => void } {
  const cut = new AbortController();
  async function* body(): AsyncGenerator<Buffer> {
    yield bytes;
    await new Promise<void>((resolve) => cut.signal.addEventListener('abort', () => resolve()));
  }
  const init = { method: 'PUT', body: body() as unknown as BodyInit, duplex: 'half', headers: bearer(ticket) };
  const answer = requestJson<Problem>(`${service.url}/uploads/${id}`, { ...init, signal: cut.signal } as RequestInit);
  answer.catch(() => undefined);
  return { answer, abort: () => cut.abort() };
}

describe('POST /files', () => {
  async function create(ticket: string | undefined, headers: Record<string, string>, query = '') {
    const all = { ...headers, ...(ticket === undefined ? {} : bearer(ticket)) };
    return await tusRequest('POST', `${service.url}/files${query}`, all);
  }

  function metadata(entries: Record<string, string>): string {
    return Object.entries(entries)
      .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
      .join(',');
  }

  test('needs a ticket, and the requests after it need none', async () => {
    const length = { 'Upload-Length': String(photo.length) };
    expect(await create(undefined, length)).toMatchObject({ status: 401, body: { code: 'ticket_required' } });
    const created = await create(undefined, length, `?ticket=${await ticketFor({ preset: 'avatar' })}`);
    const id = created.headers.get('location')?.split('/').at(-1) ?? '';
    expect((await patchTus(service.url, id, 0, photo)).status).toBe(204);
    const { body } = await requestJson<Upload>(`${service.url}/uploads/${id}`);
    expect(body).toMatchObject({ state: 'queued', tenant: 'acme' });
    const card = await fetch(`${service.url}${body.links.variants}/card?timeout=0`);
    expect(card.status).toBe(200);
  });

  test.each([
    ['length', { maxFileBytes: 10 }, { 'Upload-Length': '11' }],
    ['options', { preset: 'avatar' }, { 'Upload-Length': '11', 'Upload-Metadata': metadata({ options: '{}' }) }],
    [
      'type',
      { types: ['image/*'] },
      { 'Upload-Length': '11', 'Upload-Metadata': metadata({ filetype: 'application/pdf' }) },
    ],
  ])('rejects a creation whose %s the ticket does not allow (403)', async (_, upload, headers) => {
    expect(await create(await ticketFor(upload), headers)).toMatchObject({
      status: 403,
      body: { code: 'ticket_forbids' },
    });
  });

  test.each([
    ['type', { types: ['text/csv'] }, {}],
    ['length', { maxFileBytes: 10 }, {}],
    ['announced length', { maxFileBytes: 10 }, { 'Upload-Length': '11' }],
  ])('ends an upload if the ticket turns out not to allow its %s (403)', async (_, upload, headers) => {
    const created = await create(await ticketFor(upload), { 'Upload-Defer-Length': '1' });
    const id = created.headers.get('location')?.split('/').at(-1) ?? '';
    const bytes = Buffer.concat([photo, Buffer.alloc(5000)]);
    expect(await patchTus(service.url, id, 0, bytes, headers)).toMatchObject({
      status: 403,
      body: { code: 'ticket_forbids', state: 'failed' },
    });
  });
});

describe('POST /tickets', () => {
  async function ask(
    body: unknown,
    token: string | undefined = KEY,
  ): Promise<JsonAnswer<{ ticket: string; expiresAt: string } & Problem>> {
    const headers = { 'Content-Type': 'application/json', ...(token === '' ? {} : bearer(token)) };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return await requestJson(`${service.url}/tickets`, { method: 'POST', body: text, headers });
  }

  test('answers with a ticket that has the wanted limits', async () => {
    const { status, headers, body } = await ask({ expiresIn: 60, upload: { maxFiles: 1, types: ['image/*'] } });
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(Date.parse(body.expiresAt)).toBeGreaterThan(Date.now());
    expect((await put(photo, body.ticket)).status).toBe(202);
    expect(outcome(await put(photo, body.ticket))).toEqual([403, 'ticket_forbids']);
  });

  test.each([
    ['no JSON', '{', 'not JSON'],
    ['no lifetime', {}, 'expiresIn'],
    ['a lifetime over 24 h', { expiresIn: 86_401 }, 'expiresIn'],
    ['an unknown member', { expiresIn: 60, upload: { maxFile: 1 } }, 'maxFile'],
    ['an unknown preset', { expiresIn: 60, upload: { preset: 'poster' } }, 'poster'],
    ['metadata over 4 KB', { expiresIn: 60, upload: { metadata: { a: 'x'.repeat(4096) } } }, 'upload.metadata'],
  ])('rejects %s (400)', async (_, body, detail) => {
    const answer = await ask(body);
    expect(outcome(answer)).toEqual([400, 'bad_request']);
    expect(answer.body.detail).toContain(detail);
  });

  test('needs an API key', async () => {
    const answers = await Promise.all(
      ['', newApiKey('acme'), await ticketFor({})].map((token) => ask({ expiresIn: 60 }, token)),
    );
    expect(answers.map(outcome)).toEqual(answers.map(() => [401, 'unauthorized']));
    expect(answers[0]?.headers.get('www-authenticate')).toMatch(/^Bearer /);
  });

  test('rejects a tenant without a key that can sign (409)', async () => {
    const key = newApiKey('other');
    await writeAccess({ acme: ACME, other: { keys: [keyEntry('k1', key)] } });
    await eventually('the new tenant', async () => (await ask({ expiresIn: 60 }, key)).status !== 401);
    expect(outcome(await ask({ expiresIn: 60 }, key))).toEqual([409, 'no_ticket_key']);
  });
});

describe('a page of another site', () => {
  test.each([
    ['may create uploads with a ticket in the header', 'header', 202, undefined],
    ['may not create uploads with a ticket in the address (403)', 'query', 403, 'foreign_origin'],
  ])('%s', async (_, place, status, code) => {
    const ticket = await ticketFor({});
    const headers = { Origin: 'https://other.example', ...(place === 'header' ? bearer(ticket) : {}) };
    expect(outcome(await post([photo], headers, place === 'query' ? `?ticket=${ticket}` : ''))).toEqual([status, code]);
  });

  test('may not delete an upload with a wrong ticket (403)', async () => {
    const url = `${service.url}/uploads/${randomUUID()}`;
    const headers = { Origin: 'https://other.example', ...bearer('garbage') };
    expect(outcome(await requestJson<Problem>(url, { method: 'DELETE', headers }))).toEqual([403, 'foreign_origin']);
  });
});

describe('an API key in an address', () => {
  test('is refused, and no log line contains it or a ticket', async () => {
    const paths = ['/uploads', `/uploads/${randomUUID()}`, '/usage'];
    const answers = await Promise.all(paths.map((path) => requestJson<Problem>(`${service.url}${path}?key=${KEY}`)));
    expect(answers.map(outcome)).toEqual(paths.map(() => [400, 'bad_request']));
    expect(answers[0]?.body.detail).toContain('Authorization: Bearer');
    const output = service.apis.map((api) => api.output()).join('');
    expect(output).toContain('"path":"/uploads"');
    expect(output).not.toContain(KEY.slice(8));
    expect(output).not.toContain('eyJ');
  });
});

describe('a change of the access file', () => {
  test('leaves the old file in force if the new one has a mistake, with one log line in each process', async () => {
    await writeAccess(`{"tenants":{"acme":{"keys":[{"id":"k1","sha256":"${SECRET}"}]}}}`);
    const lines = () =>
      service.apis.map((api) => api.lines().filter(({ msg }) => String(msg).startsWith('access file not loaded')));
    await eventually('a line in each log', () => lines().every((found) => found.length > 0));
    expect(lines()).toEqual(
      lines().map(() => [expect.objectContaining({ reason: 'tenants.acme.keys[0].sha256 must be 64 hex digits' })]),
    );
    expect(service.apis.map((api) => api.output()).join('')).not.toContain(SECRET);
    expect((await put(photo, KEY)).status).toBe(202);
  });

  test('revokes keys and tickets in all processes, and keeps the uploads', async () => {
    const ticket = await ticketFor({});
    const id = randomUUID();
    expect((await put(photo, ticket, id)).status).toBe(202);
    await writeAccess({});
    for (const url of service.urls) {
      const refused = async (token: string) =>
        (await putFile<Problem>(url, randomUUID(), photo, 'a.jpg', '', bearer(token))).body.code === 'ticket_invalid';
      await eventually('the end of key and ticket', async () => (await refused(KEY)) && (await refused(ticket)));
    }
    expect((await requestJson<Upload>(`${service.url}/uploads/${id}`)).body).toMatchObject({ tenant: 'acme' });
  });
});
