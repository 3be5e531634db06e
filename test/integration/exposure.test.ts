import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';
import type { Problem, Upload } from '../../src/wire/documents.ts';
import { keyEntry, newApiKey, newSecret, newTicket } from '../helpers/access-file.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { startService, type Service, type ServiceProcess } from '../helpers/service.ts';

const TOKEN = 'the-token-of-the-operators';

let service: Service;
beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'trace', OPERATORS_TOKEN: TOKEN } });
});
afterAll(async () => {
  await service.stop();
});

const TUS = { 'Tus-Resumable': '1.0.0' };

/** Returns everything that all processes have written, in lower case. */
function output(): string {
  const processes: readonly ServiceProcess[] = [...service.apis, ...service.workers];
  return processes
    .map((process) => process.output())
    .join('')
    .toLowerCase();
}

/** A request as `fetch` takes it, with headers that can be spread. */
interface SentRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string | FormData;
}

/** Sends requests of all kinds about two uploads, and returns the answers. */
async function useEverything(url: string, [picture, refused, resumed]: readonly string[], ticket?: string) {
  const answers: string[] = [];
  const auth = ticket === undefined ? {} : { Authorization: `Bearer ${ticket}` };
  const ask = async (path: string, init: SentRequest = {}) => {
    const response = await fetch(url + path, { ...init, headers: { ...auth, ...init.headers } });
    answers.push(await response.text());
  };
  const bytes = await photo({ width: 300, height: 200 });
  await ask(`/uploads/${picture}`, { method: 'PUT', body: new Uint8Array(bytes) });
  await ask(`/uploads/${picture}/result?timeout=${LONG_HOLD_MS}`);
  await ask(`/uploads/${picture}/events`);
  await ask(`/progress?upload=${picture}~1&timeout=0`);
  await ask(`/uploads/${picture}/content`);
  await ask(`/uploads/${picture?.toUpperCase()}`);
  await ask(`/uploads/${refused}`, { method: 'PUT', body: 'neither a picture nor a table\0' });
  const metadata = `uploadId ${Buffer.from(resumed ?? '').toString('base64')}`;
  await ask('/files', { method: 'POST', headers: { ...TUS, 'Upload-Length': '9', 'Upload-Metadata': metadata } });
  await ask(`/files/${resumed}`, { method: 'DELETE', headers: TUS });
  await ask(`/uploads/${picture}/cancel`, { method: 'POST' });
  await ask(`/uploads/${picture}`, { method: 'DELETE' });
  return answers;
}

test('no log line of an API or worker process contains an upload id, only its hash', async () => {
  const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
  await useEverything(service.url, ids);
  await eventually('the line of the last request', () => output().includes('"method":"delete","path":"/uploads/:id"'));
  for (const id of ids) expect([output().includes(id), output().includes(uploadRef(id))]).toEqual([false, true]);
  const lines = service.workers.flatMap((worker) => worker.lines());
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'upload completed', upload: uploadRef(ids[0]) }));
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  expect(metrics).not.toContain(ids[0]);
});

test('no log line, metric, error or figure contains an API key, a ticket or the secret of its key', async () => {
  const [key, secret, file] = [newApiKey('acme'), newSecret(), join(service.directory, 'access.json')];
  const acme = { keys: [keyEntry('k1', key)], tickets: [{ kid: 'acme-1', alg: 'HS256', secret }] };
  await writeFile(file, JSON.stringify({ tenants: { acme } }));
  const api = await service.addApi({ ACCESS_FILE: file });
  const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
  const ticket = await newTicket('acme-1', secret, { upload: { maxFileBytes: 1_000_000 } });
  const answers = await useEverything(api.url, ids, ticket);

  // Mistakes of senders: secrets at wrong places.
  const problemOf = async (path: string, init: SentRequest = {}) => {
    const response = await fetch(api.url + path, init);
    answers.push(await response.text());
    return response.status;
  };
  const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
  const post = { method: 'POST', body: 'x' };
  expect(await problemOf(`/uploads?ticket=${ticket}x`, post)).toBe(401);
  expect(await problemOf(`/uploads?ticket=${key}`, post)).toBe(400);
  expect(await problemOf('/uploads', { ...post, ...bearer(`${key.slice(0, -1)}_`) })).toBe(401);
  expect(await problemOf(`/uploads/${key}`, bearer(key))).toBe(400);
  expect(await problemOf(`/${ticket}`, bearer(ticket))).toBe(404);
  expect(await problemOf('/operators', bearer(key))).toBe(401);
  const figures = await getJson(`${api.url}/operators/figures`, { Authorization: `Bearer ${TOKEN}` });
  const metrics = await (await fetch(`${api.url}/metrics`)).text();
  await eventually('the line of the last request', () => api.output().includes('/operators/figures'));

  const written = [...answers, metrics, JSON.stringify(figures.body)].join('\n');
  for (const text of [key, ticket, secret, key.slice(9), ticket.split('.')[2] ?? ''])
    expect([output().includes(text.toLowerCase()), written.includes(text)]).toEqual([false, false]);
  for (const id of ids)
    expect([output().includes(id), JSON.stringify(figures.body).includes(id)]).toEqual([false, false]);
  await api.end();
});

test('on a public HOST the management address has the metrics, and ends with the process', async () => {
  const api = await service.addApi({ HOST: '0.0.0.0', ACCESS: 'open' });
  const listening = () => api.lines().find(({ msg }) => msg === 'listening');
  await eventually('the line listening', () => listening() !== undefined);
  const managementUrl = listening()?.['managementUrl'];
  expect(managementUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const statusOf = async (url: string) => (await fetch(url)).status;
  expect([await statusOf(`${api.url}/metrics`), await statusOf(`${String(managementUrl)}/metrics`)]).toEqual([
    404, 200,
  ]);
  expect(await (await fetch(`${api.url}/readyz`)).json()).toEqual({ status: 'ready' });
  expect(await api.end()).toBe(0);
  await expect(fetch(`${String(managementUrl)}/metrics`)).rejects.toThrow();
});

test('one address may send a limited number of requests that create uploads, on all roads together', async () => {
  const api = await service.addApi({ CREATE_PER_MINUTE_PER_ADDRESS: '2' });
  const bytes = await photo({ width: 30, height: 20 });
  const put = async () => await putFile<Upload | Problem>(api.url, randomUUID(), bytes, 'a.jpg');
  expect((await put()).status).toBe(202);
  const resumable = await fetch(`${api.url}/files`, { method: 'POST', headers: { ...TUS, 'Upload-Length': '9' } });
  expect(resumable.status).toBe(201);
  const refused = await put();
  expect([refused.status, Number(refused.headers.get('Retry-After')) > 0]).toEqual([429, true]);
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(bytes)]), 'a.jpg');
  expect((await fetch(`${api.url}/uploads`, { method: 'POST', body: form })).status).toBe(429);
  await api.end();
});
