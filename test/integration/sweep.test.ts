import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Upload } from '../../src/wire/documents.ts';
import { getJson, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { patienceMs } from '../helpers/patience.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves } from '../helpers/put-in-halves.ts';
import { startRedisServer } from '../helpers/redis-server.ts';
import { startService, type Service, type ServiceOptions } from '../helpers/service.ts';
import { storedFiles } from '../helpers/stored-files.ts';

const RETENTION_MS = patienceMs(1500);

/** One test kills an API process, so there are two. A worker starts when a test needs one. */
let service: Service;
let bytes: Buffer;
/** Ends the servers that a test has started for itself. */
const ends: (() => Promise<void>)[] = [];

async function start(env: Record<string, string>, options: ServiceOptions = {}): Promise<Service> {
  return await startService({ ...options, env: { SWEEP_PERIOD_MS: '200', ...env } });
}

async function startOwn(env: Record<string, string>, options: ServiceOptions = {}): Promise<Service> {
  const own = await start(env, options);
  ends.push(() => own.stop());
  return own;
}

beforeAll(async () => {
  const silence = { UPLOAD_SILENCE_MS: String(patienceMs(500)) };
  [service, bytes] = await Promise.all([start(silence, { apis: 2, workers: 0 }), photo({ width: 400, height: 300 })]);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(async () => {
  await service.stop();
});

async function startWorkers(): Promise<void> {
  if (service.workers.length === 0) await service.addWorker();
}

async function filesOf(running: Service, id = ''): Promise<string[]> {
  return (await storedFiles(running.directory)).filter((path) => path.includes(id));
}

async function completed(running: Service, id: string): Promise<Upload> {
  return await eventually(
    `${id} to be completed`,
    async () => {
      const { body } = await getJson<Upload>(`${running.url}/uploads/${id}`);
      return body.state === 'completed' && body;
    },
    20_000,
  );
}

test('a cancelled upload leaves no file', async () => {
  const id = randomUUID();
  await putFile(service.url, id, bytes, 'a.jpg');
  await requestJson(`${service.url}/uploads/${id}/cancel`, { method: 'POST' });
  expect(await filesOf(service, id)).toEqual([]);
  expect((await getJson<{ code: string }>(`${service.url}/uploads/${id}/content`)).body.code).toBe('upload_cancelled');
});

test('orphan files are removed, and files of living uploads stay', async () => {
  const id = randomUUID();
  await putFile(service.url, id, bytes, 'a.jpg');
  const orphan = randomUUID();
  const directory = join(service.directory, orphan.slice(0, 2), orphan);
  await mkdir(directory, { recursive: true });
  const longAgo = new Date(Date.now() - 25 * 3_600_000);
  const original = `${randomUUID()}.original`;
  for (const name of [original, `${original}.0123456789ab.part`]) {
    await writeFile(join(directory, name), 'x');
    await utimes(join(directory, name), longAgo, longAgo);
  }
  await startWorkers();
  await eventually('the orphan files to be gone', async () => (await filesOf(service, orphan)).length === 0);
  expect((await getJson<Upload>(`${service.url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`)).body.state).toBe(
    'completed',
  );
  expect((await fetch(`${service.url}/uploads/${id}/content`)).status).toBe(200);
});

test('completed, failed and waiting uploads are restored from their manifests if Redis returns empty', async () => {
  await startWorkers();
  const done = (await putFile<Upload>(service.url, randomUUID(), bytes, 'kept name.jpg', `?timeout=${LONG_HOLD_MS}`))
    .body;
  const damaged = (
    await putFile<Upload>(service.url, randomUUID(), bytes.subarray(0, 2000), 'half.jpg', `?timeout=${LONG_HOLD_MS}`)
  ).body;
  await service.workers[0]?.end('SIGTERM');
  const waiting = (await putFile<Upload>(service.url, randomUUID(), bytes, 'last.jpg')).body;
  expect([done.state, damaged.state, waiting.state]).toEqual(['completed', 'failed', 'queued']);
  await service.redis.restart();
  await eventually(
    'Redis to be empty',
    async () => (await getJson(`${service.url}/uploads/${done.id}`)).status === 404,
  );
  await service.addWorker();
  const back = await completed(service, done.id);
  expect([back.file, back.publicId, back.result, back.createdAt]).toEqual([
    done.file,
    done.publicId,
    done.result,
    done.createdAt,
  ]);
  expect((await completed(service, waiting.id)).file).toMatchObject({ name: 'last.jpg', size: bytes.length });
  const failed = await eventually('the damaged one', async () => {
    const { body } = await getJson<Upload>(`${service.url}/uploads/${damaged.id}`);
    return body.state === 'failed' && body;
  });
  expect(failed.error?.code).toBe(damaged.error?.code);
});

test('an upload whose API process was killed is ended, and may be sent again', async () => {
  await startWorkers();
  const id = randomUUID();
  async function* half() {
    yield bytes.subarray(0, 6000);
    await new Promise(() => undefined);
  }
  const init = { method: 'PUT', body: half() as unknown as BodyInit, duplex: 'half' } as const;
  const broken = fetch(`${service.urls[0] ?? ''}/uploads/${id}`, init).catch(() => undefined);
  const other = service.urls[1] ?? '';
  await eventually('bytes to come', async () => (await filesOf(service, id)).length > 0);
  await service.apis[0]?.end('SIGKILL');
  await broken;
  const failed = await eventually('the record to fail', async () => {
    const { body } = await getJson<Upload>(`${other}/uploads/${id}`);
    return body.state === 'failed' && body;
  });
  expect(failed.error).toMatchObject({ code: 'upload_interrupted', final: true });
  expect((await putFile<Upload>(other, id, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`)).body.state).toBe('completed');
});

test('accepted uploads are restored if Redis has lost the end of its log', async () => {
  const redis = await startRedisServer({ persist: true });
  ends.push(() => redis.stop());
  const running = await startOwn({ UPLOAD_SILENCE_MS: String(patienceMs(2000)) }, { redis });
  const [before, straddling, lost] = [randomUUID(), randomUUID(), randomUUID()];
  await putFile(running.url, before, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
  const sent = putInHalves<Upload>(`${running.url}/uploads/${straddling}`, bytes);
  await eventually(
    'its first half',
    async () => (await getJson<Upload>(`${running.url}/uploads/${straddling}`)).body.state === 'receiving',
  );
  const log = join(redis.directory, 'appendonlydir', 'appendonly.aof.1.incr.aof');
  const { size } = await stat(log);
  sent.finish();
  expect([(await sent.answer).status, (await putFile(running.url, lost, bytes, 'a.jpg')).status]).toEqual([202, 202]);
  await redis.down();
  await truncate(log, size);
  await redis.up();
  for (const id of [before, straddling, lost]) expect((await completed(running, id)).file.size).toBe(bytes.length);
});

test('after the retention the files are removed, and the id answers 410 for the same time, then 404', async () => {
  const running = await startOwn({ RETENTION_MS: String(RETENTION_MS) });
  const id = randomUUID();
  const sent = await putFile<Upload>(running.url, id, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
  expect(Date.parse(sent.body.expiresAt ?? '') - Date.parse(sent.body.updatedAt)).toBe(RETENTION_MS);
  const statusOf = async () => (await getJson(`${running.url}/uploads/${id}`)).status;
  await eventually('a 410', async () => (await statusOf()) === 410);
  expect((await fetch(`${running.url}/variants/${sent.body.publicId}/160`)).status).toBe(404);
  await eventually('its files to be gone', async () => (await filesOf(running, id)).length === 0);
  await eventually('a 404', async () => (await statusOf()) === 404);
});
