import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Upload } from '../../src/wire/documents.ts';
import { putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { API_ENTRY, startProcess, startService, WORKER_ENTRY, type Service } from '../helpers/service.ts';

let service: Service;
let env: Record<string, string>;
let directory: string;

beforeAll(async () => {
  service = await startService();
  directory = await mkdtemp(join(tmpdir(), 'du-other-'));
  env = { HOST: '127.0.0.1', PORT: '0', REDIS_URL: service.redis.url, STORAGE: `file:${service.directory}` };
});
afterAll(async () => {
  await service.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Returns the output of a process that does not start. */
async function complaint(entry: string, settings: Record<string, string>): Promise<string> {
  const started = startProcess(entry, { ...env, ...settings });
  const error = await started.then(
    async (process) => `it started, and ended with ${await process.end()}`,
    (reason: unknown) => String(reason),
  );
  return error;
}

test('a worker of another installation stops at its start and leaves every file', async () => {
  const id = randomUUID();
  const sent = await putFile<Upload>(
    service.url,
    id,
    await photo({ width: 200, height: 100 }),
    'a.jpg',
    `?timeout=${LONG_HOLD_MS}`,
  );
  expect(sent.body.state).toBe('completed');
  const said = await complaint(WORKER_ENTRY, { QUEUE_PREFIX: 'staging', RETENTION_MS: '1000', SWEEP_PERIOD_MS: '100' });
  expect(said).toMatch(/deferred-uploads: STORAGE belongs to installation .*STORAGE_ADOPT=/);
  expect((await fetch(`${service.url}/variants/${sent.body.publicId}/160`)).status).toBe(200);
  expect((await fetch(`${service.url}/uploads/${id}/content`)).status).toBe(200);
});

test.each([
  ['worker', () => WORKER_ENTRY],
  ['API', () => API_ENTRY],
])('a %s process with another STORAGE than the other processes stops at its start', async (_, entry) => {
  expect(await complaint(entry(), { STORAGE: `file:${directory}/elsewhere` })).toMatch(
    /deferred-uploads: STORAGE has no installation marker, but Redis belongs to installation/,
  );
});

test('a worker whose STORAGE is a folder of another program stops at its start and leaves every file', async () => {
  const shared = join(directory, 'home');
  const files = ['al/alice/letter.odt', 'en/en/strings.json', 'Downloads/film.mkv.part'];
  for (const file of files) {
    await mkdir(join(shared, file, '..'), { recursive: true });
    await writeFile(join(shared, file), 'x');
  }
  const said = await complaint(WORKER_ENTRY, { QUEUE_PREFIX: 'shared', STORAGE: `file:${shared}` });
  expect(said).toMatch(/deferred-uploads: STORAGE contains files of another service, such as/);
  for (const file of files) expect((await stat(join(shared, file))).isFile()).toBe(true);
});

test('a STORAGE that cannot be written stops a process with one line', async () => {
  const file = join(directory, 'file');
  await writeFile(file, 'x');
  for (const storage of [file, join(file, 'below'), '/proc/deferred-uploads'])
    expect(await complaint(API_ENTRY, { STORAGE: `file:${storage}`, QUEUE_PREFIX: 'unwritable' })).toMatch(
      /deferred-uploads: STORAGE=file:\S+ cannot be written: E[A-Z]+/,
    );
});

test('a storage that goes away makes uploads and /readyz a 503 until it is back', async () => {
  const bytes = await photo({ width: 200, height: 100 });
  const moved = `${service.directory}-moved`;
  await rename(service.directory, moved);
  await writeFile(service.directory, 'a file in its place');
  const readyAs = async (status: number) => (await fetch(`${service.url}/readyz`)).status === status;
  await eventually('the process to be unready', async () => await readyAs(503));
  const sent = await putFile<{ code: string }>(service.url, randomUUID(), bytes, 'a.jpg');
  expect([sent.status, sent.body.code]).toEqual([503, 'storage_unavailable']);
  await rm(service.directory);
  await rename(moved, service.directory);
  await eventually('the process to be ready', async () => await readyAs(200));
  expect((await putFile(service.url, randomUUID(), bytes, 'a.jpg')).status).toBe(202);
});
