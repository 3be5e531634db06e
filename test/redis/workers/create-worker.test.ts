import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineProcessor, type ProcessFile } from '../../../src/kinds/own/definition.ts';
import type * as Service from '../../../src/server/create-service.ts';
import type { TableResult, Upload } from '../../../src/wire/documents.ts';
import type * as Worker from '../../../workers/create-worker.ts';
import { compiled } from '../../helpers/compiled.ts';
import { listen } from '../../helpers/listen.ts';
import { patienceMs } from '../../helpers/patience.ts';
import { sharedRedis } from '../../helpers/shared-redis.ts';

/* The compiled modules, because only the build has the page. */
const { createService } = (await import(compiled('src/server/create-service.ts'))) as typeof Service;
const { createWorker } = (await import(compiled('workers/create-worker.ts'))) as typeof Worker;

/** A processor that is given as an object, so it runs in this process. */
const note = defineProcessor({
  kind: {
    name: 'note',
    types: ['text/x-note'],
    sniff: ({ head }) => (head.toString('latin1', 0, 5) === 'note:' ? 'text/x-note' : undefined),
  },
  load: async () => processNote,
});

const processNote: ProcessFile = async ({ inputPath, publish, signal }) => {
  const bytes = await readFile(inputPath);
  if (bytes.toString() === 'note:slow') await once(signal, 'abort');
  return { pid: process.pid, file: await publish({ name: 'note.txt', type: 'text/plain' }, bytes) };
};

let directory: string;
let service: Service.UploadService;
let worker: Worker.EmbeddedWorker;
let server: Server;
let origin: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-embedded-'));
  const shared = {
    redis: await sharedRedis(),
    storage: `file:${directory}`,
    queuePrefix: `embedded-${randomUUID()}`,
    logLevel: 'silent',
  } as const;
  const processors = [note];
  service = await createService({ ...shared, mountPath: '/media', processors });
  const attemptTimeoutMs = patienceMs(1_000);
  worker = await createWorker({
    ...shared,
    workerConcurrency: 2,
    tableMaxColumns: 3,
    kinds: ['table', 'note'],
    attemptTimeoutMs,
    processors,
  });
  server = createServer((request, response) => service.handle(request, response));
  origin = `http://127.0.0.1:${await listen(server)}`;
});

afterAll(async () => {
  await Promise.all([worker.close(), service.close()]);
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

async function send(body: string): Promise<Upload> {
  const url = `${origin}/media/uploads/${randomUUID()}?timeout=50000`;
  return (await (await fetch(url, { method: 'PUT', body })).json()) as Upload;
}

test('a worker in the application processes the uploads of its service', async () => {
  const upload = await send('name,age\nAda,36\n');
  expect(upload).toMatchObject({ state: 'completed', progress: { percent: 100 } });
  const { url } = (upload.result as TableResult).jsonLines;
  expect(url).toBe(`${upload.links.variants}/rows.jsonl`);
  expect(url).toMatch(/^\/media\/variants\//);
  expect(await (await fetch(origin + url)).text()).toBe('{"name":"Ada","age":36}\n');
});

test('a worker in the application obeys its options', async () => {
  expect(await send('a,b,c,d\n1,2,3,4\n')).toMatchObject({ state: 'failed', error: { code: 'table_too_large' } });
});

test('a wrong option of a worker is refused under its own name', async () => {
  await expect(createWorker({ workerConcurrency: 0 })).rejects.toThrow(
    /^wrong settings: workerConcurrency must be at least 1$/,
  );
});

test('a worker rejects a kind that no processor has', async () => {
  await expect(createWorker({ kinds: ['film'] })).rejects.toThrow(/^No processor takes the kind film/);
});

test('a worker runs a processor that is an object in its own process, also after a time-out', async () => {
  const done = await send('note:hello');
  expect(done).toMatchObject({ state: 'completed', result: { kind: 'note', pid: process.pid } });
  const { file } = done.result as unknown as { file: { url: string } };
  expect(await (await fetch(origin + file.url)).text()).toBe('note:hello');
  expect(await send('note:slow')).toMatchObject({
    state: 'failed',
    error: { code: 'file_timeout' },
    progress: { attempt: 2 },
  });
});
