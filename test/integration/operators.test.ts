import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { FoundUploads, Problem, Progress, ServiceFigures, Upload } from '../../src/wire/documents.ts';
import { foundUploadsSchema, serviceFiguresSchema } from '../../src/wire/operator-schemas.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';
import { getJson, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { failByOurFault } from '../helpers/fail-by-our-fault.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { startService, type Service } from '../helpers/service.ts';

const TOKEN = 'a-token:of/operators+0123';
const BEARER = { Authorization: `Bearer ${TOKEN}` };
const PREFIX = 'operated';

/** No worker runs at first, so uploads stay queued. */
let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  const env = { OPERATORS_TOKEN: TOKEN, QUEUE_PREFIX: PREFIX, TRUSTED_PROXIES: '127.0.0.1', CORS_ORIGINS: '*' };
  [service, bytes] = await Promise.all([
    startService({ apis: 2, workers: 0, env }),
    photo({ width: 300, height: 200 }),
  ]);
});

afterAll(async () => {
  await service.stop();
});

function basic(user: string, password: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

async function statusOf(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<number> {
  const response = await fetch(service.url + path, { ...init, headers, redirect: 'manual' });
  await response.arrayBuffer();
  return response.status;
}

async function figures(): Promise<ServiceFigures> {
  const { status, body } = await getJson<ServiceFigures>(`${service.url}/operators/figures`, BEARER);
  expect([status, serviceFiguresSchema.safeParse(body).error]).toEqual([200, undefined]);
  return body;
}

describe("the operators' paths", () => {
  const PATHS = ['/operators', '/operators/page.js', '/operators/figures', '/operators/nowhere'];

  test.each(PATHS)('ask for the token at %s', async (path) => {
    const { status, headers, body } = await getJson<Problem>(service.url + path);
    expect([status, body.code]).toEqual([401, 'unauthorized']);
    expect(headers.get('www-authenticate')).toMatch(/^Basic realm=/);
  });

  test.each([
    ['Basic with any user name', basic('anybody', TOKEN)],
    ['Basic without a user name', basic('', TOKEN)],
    ['Bearer', BEARER],
    ['a scheme in other letters', { Authorization: `bEARER ${TOKEN}` }],
  ])('accept the token as %s', async (_name, headers) => {
    expect(await statusOf('/operators', headers)).toBe(200);
  });

  test.each([
    ['another scheme', { Authorization: 'Digest username="x"' }],
    ['Basic without a colon', { Authorization: `Basic ${Buffer.from(TOKEN.replace(':', '')).toString('base64')}` }],
    ['the token as a user name', basic(TOKEN, '')],
    ['the token in the address', {}],
  ])('reject %s', async (_name, headers) => {
    expect(await statusOf(`/operators?token=${TOKEN}`, { ...headers, 'X-Forwarded-For': '192.0.2.77' })).toBe(401);
  });

  test.each([
    '/OPERATORS',
    '/Operators/figures',
    '/operators/',
    '//operators',
    '/%6Fperators',
    '/operators%2Ffigures',
    '/x/../operators',
  ])('cannot be reached without the token as %s', async (path) => {
    const answer = await rawRequest(
      service.url,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 40[14] /);
  });

  test('reject an address that has tried too many tokens with 429, but accept the right token', async () => {
    const from = (address: string, password: string) =>
      statusOf('/operators', { ...basic('x', password), 'X-Forwarded-For': address });
    const tries = Array.from({ length: 10 }, (_, index) => from('192.0.2.1', `wrong-${index}`));
    expect(await Promise.all(tries)).toEqual(Array<number>(10).fill(401));
    const refused = await fetch(`${service.url}/operators`, {
      headers: { Authorization: 'Bearer wrong-again-and-again', 'X-Forwarded-For': '192.0.2.1' },
    });
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await from('192.0.2.1', TOKEN)).toBe(200);
    expect(await from('192.0.2.2', TOKEN)).toBe(200);
  });

  test('log the address of a rejected request and never a token', async () => {
    const read = () => service.apis.map((api) => api.output()).join('');
    await eventually('the lines of ten refusals', () => read().split('"address":"192.0.2.1"').length > 10);
    const log = read();
    expect([log.includes(TOKEN), log.includes('wrong-0'), log.includes('Basic')]).toEqual([false, false, false]);
  });

  test('cannot be read by a page of another origin', async () => {
    const asked = await fetch(`${service.url}/operators/figures`, {
      headers: { ...BEARER, Origin: 'https://other.example' },
    });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    const foreign = { method: 'POST', headers: { ...BEARER, Origin: 'https://other.example' } };
    const refused = await requestJson<Problem>(`${service.url}/operators/uploads/${randomUUID()}/retry`, foreign);
    expect([refused.status, refused.body.code]).toEqual([403, 'foreign_origin']);
    const own = { method: 'POST', headers: { ...BEARER, Origin: service.url } };
    expect((await requestJson<Problem>(`${service.url}/operators/uploads/${randomUUID()}/retry`, own)).body.code).toBe(
      'unknown_upload',
    );
  });

  test('are a 404 without OPERATORS_TOKEN', async () => {
    const api = await service.addApi({ OPERATORS_TOKEN: '' });
    for (const path of PATHS) {
      const { status, body } = await getJson<Problem>(api.url + path, BEARER);
      expect([path, status, body.code]).toEqual([path, 404, 'not_found']);
    }
    expect(await api.end()).toBe(0);
  });
});

describe('the search of an operator for failures', () => {
  test('finds an upload by its id or name, and shows why it was rejected but not its id', async () => {
    const id = randomUUID();
    const { body: problem } = await putFile<Problem>(service.url, id, Buffer.from('%PDF-1.7 text'), 'invoice 7.pdf');
    expect(problem.code).toBe('unsupported_media_type');
    const found = async (q: string) => {
      const address = `${service.url}/operators/uploads?q=${encodeURIComponent(q)}`;
      const { status, body } = await getJson<FoundUploads>(address, BEARER);
      expect([status, foundUploadsSchema.safeParse(body).error]).toEqual([200, undefined]);
      expect(JSON.stringify(body)).not.toContain(id);
      return body.uploads;
    };
    const expected = { ref: uploadRef(id), name: 'invoice 7.pdf', error: { code: 'unsupported_media_type' } };
    for (const text of [id, uploadRef(id), 'INVOICE']) expect(await found(text)).toMatchObject([expected]);
    expect((await getJson(`${service.url}/operators/uploads?q=ab`, BEARER)).status).toBe(400);
    expect(await statusOf(`/operators/uploads?q=${id}`)).toBe(401);
    await eventually('the reason in the figures', async () =>
      (await figures()).failuresByCode.some(
        ({ code, examples }) => code === 'unsupported_media_type' && examples.some(({ ref }) => ref === uploadRef(id)),
      ),
    );
    const { storage, redis, lastHour } = await figures();
    expect([storage?.freeBytes, redis?.usedBytes]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(lastHour.failed.at(-1) ?? 0).toBeGreaterThanOrEqual(0);
  });
});

describe("the operators' figures", () => {
  test('contain every process, the held responses by route, and the waiting uploads', async () => {
    const { body } = await putFile<Upload>(service.urls[1] ?? '', randomUUID(), bytes, 'a.jpg');
    const held = fetch(`${service.url}/uploads/${body.id}/progress?since=${body.version}&timeout=${LONG_HOLD_MS}`);
    const seen = await eventually('the held poll', async () => {
      const now = await figures();
      return now.processes.some((process) => process.held['/uploads/:id/progress'] === 1) && now;
    });
    expect(seen.processes.map(({ role }) => role)).toEqual(['api', 'api']);
    expect(new Set(seen.processes.map(({ pid }) => pid))).toEqual(
      new Set(service.apis.slice(0, 2).map(({ child }) => child.pid)),
    );
    expect([seen.waiting.count, seen.jobs.waiting]).toEqual([1, 1]);
    expect(seen.waiting.byKind).toEqual({ picture: 1 });
    expect(seen.waiting.oldestMs).toBeGreaterThanOrEqual(0);
    const received = await eventually('the upload in the count of the other process', async () => {
      const counts = (await figures()).processes.map(({ lastMinute }) => lastMinute.received);
      return counts.reduce((sum, count) => sum + count, 0) === 1;
    });
    expect(received).toBe(true);
    await fetch(`${service.url}/uploads/${body.id}`, { method: 'DELETE' });
    expect(((await (await held).json()) as Progress).state).toBe('cancelled');
    const after = await eventually('the wake', async () => {
      const now = await figures();
      return now.processes.some(({ wake }) => wake !== null && wake.count === 1) && now;
    });
    expect([after.waiting, after.processes.map((process) => process.held)]).toEqual([
      { count: 0, byKind: {}, capacity: 5000, oldestMs: null },
      [{}, {}],
    ]);
  });

  test('no longer contain a process that has ended', async () => {
    const api = await service.addApi();
    await eventually('the third process', async () => (await figures()).processes.length === 3);
    await api.end();
    expect((await figures()).processes.length).toBe(2);
  });
});

test('a retried upload goes to the workers, and its watchers get the changes', async () => {
  const { body } = await putFile<Upload>(service.url, randomUUID(), bytes, 'harbour.jpg');
  await failByOurFault(service, PREFIX, body.id);
  const failed = await figures();
  expect(failed.failures).toMatchObject({
    count: 1,
    newest: [{ ref: uploadRef(body.id), name: 'harbour.jpg', attempts: 1, code: 'processing_failed' }],
  });
  const outcome = await getJson<Problem>(`${service.url}/uploads/${body.id}/result`);
  expect([outcome.status, outcome.body.code]).toEqual([500, 'processing_failed']);
  expect(JSON.stringify(failed)).not.toContain(body.id);
  const { ref } = failed.failures.newest[0] ?? {};
  const retry = async () => await statusOf(`/operators/uploads/${ref}/retry`, BEARER, { method: 'POST' });
  const ifMatch = { ...BEARER, 'If-Match': '"1"' };
  expect(await statusOf(`/operators/uploads/${ref}/retry`, ifMatch, { method: 'POST' })).toBe(412);
  expect([await retry(), await retry()]).toEqual([204, 404]);
  expect((await figures()).failures).toEqual({ count: 0, newest: [] });
  await service.addWorker();
  const result = await getJson<Upload>(`${service.url}/uploads/${body.id}/result?timeout=${LONG_HOLD_MS}`);
  expect(result).toMatchObject({ status: 200, body: { state: 'completed', expiresAt: expect.any(String) as unknown } });
});
