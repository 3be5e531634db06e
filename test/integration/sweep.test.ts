import { afterEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Upload } from '../../src/api.ts';
import { getJson, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { photo } from '../helpers/pictures.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { startService, type Service, type ServiceOptions } from '../helpers/service.ts';

let service: Service | undefined;

async function start(env: Record<string, string>, options: ServiceOptions = {}): Promise<Service> {
  service = await startService({ ...options, env: { SWEEP_PERIOD_MS: '200', ...env } });
  return service;
}

afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function filesOf(running: Service, id = ''): Promise<string[]> {
  // A folder may go while it is read.
  const names = await readdir(running.directory, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (names === undefined) return await filesOf(running, id);
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).filter((path) => path.includes(id));
}

test('stored uploads come back from their manifests when Redis was emptied', async () => {
  const running = await start({}, { workers: 0 });
  const bytes = await photo({ width: 400, height: 300 });
  const ids = [randomUUID(), randomUUID()];
  for (const id of ids) await putFile(running.url, id, bytes, 'kept name.jpg');
  await redisCommand(running.redis.url, 'FLUSHALL');
  await running.addWorker();
  for (const id of ids) {
    const upload = await eventually('the upload to be completed', async () => {
      const { body } = await getJson<Upload>(`${running.url}/uploads/${id}`);
      return body.state === 'completed' && body;
    });
    expect(upload).toMatchObject({ file: { name: 'kept name.jpg', size: bytes.length }, progress: { attempt: 1 } });
  }
});

test('after the retention files are removed and the id is a 410, for as long again, then a 404', async () => {
  const running = await start({ RETENTION_MS: '1500' });
  const id = randomUUID();
  const sent = await putFile<Upload>(running.url, id, await photo({ width: 200, height: 100 }), 'a.jpg', '?timeout=15000');
  expect(Date.parse(sent.body.expiresAt ?? '') - Date.parse(sent.body.updatedAt)).toBe(1500);
  const statusOf = async () => (await getJson(`${running.url}/uploads/${id}`)).status;
  await eventually('a 410', async () => (await statusOf()) === 410);
  expect((await fetch(`${running.url}/variants/${sent.body.publicId}/160`)).status).toBe(404);
  await eventually('its files to be gone', async () => (await filesOf(running, id)).length === 0);
  await eventually('a 404', async () => (await statusOf()) === 404);
});

test('an upload whose API process was killed is ended, and may be sent again', async () => {
  const running = await start({ UPLOAD_SILENCE_MS: '500' }, { apis: 2 });
  const id = randomUUID();
  const bytes = await photo({ width: 200, height: 100 });
  async function* half() {
    yield bytes.subarray(0, 6000);
    await new Promise(() => undefined);
  }
  const init = { method: 'PUT', body: half() as unknown as BodyInit, duplex: 'half' } as const;
  const broken = fetch(`${running.urls[0] ?? ''}/uploads/${id}`, init).catch(() => undefined);
  const other = running.urls[1] ?? '';
  await eventually('bytes to come', async () => (await filesOf(running, id)).length > 0);
  await running.apis[0]?.end('SIGKILL');
  await broken;
  const failed = await eventually('the record to fail', async () => {
    const { body } = await getJson<Upload>(`${other}/uploads/${id}`);
    return body.state === 'failed' && body;
  });
  expect(failed.error).toMatchObject({ code: 'upload_interrupted', final: true });
  expect((await putFile<Upload>(other, id, bytes, 'a.jpg', '?timeout=15000')).body.state).toBe('completed');
});

test('files that nobody speaks for are removed, and what lives is left alone', async () => {
  const running = await start({}, { workers: 0 });
  const id = randomUUID();
  await putFile(running.url, id, await photo({ width: 200, height: 100 }), 'a.jpg');
  const stray = randomUUID();
  const directory = join(running.directory, stray.slice(0, 2), stray);
  await mkdir(directory, { recursive: true });
  const longAgo = new Date(Date.now() - 25 * 3_600_000);
  for (const name of ['r.original', 'r.original.0123456789ab.part']) {
    await writeFile(join(directory, name), 'x');
    await utimes(join(directory, name), longAgo, longAgo);
  }
  await running.addWorker();
  await eventually('the strays to be gone', async () => (await filesOf(running, stray)).length === 0);
  expect((await getJson<Upload>(`${running.url}/uploads/${id}/result?timeout=15000`)).body.state).toBe('completed');
  expect((await fetch(`${running.url}/uploads/${id}/content`)).status).toBe(200);
});

test('a cancelled upload leaves no file', async () => {
  const running = await start({}, { workers: 0 });
  const id = randomUUID();
  await putFile(running.url, id, await photo({ width: 200, height: 100 }), 'a.jpg');
  await requestJson(`${running.url}/uploads/${id}/cancel`, { method: 'POST' });
  expect(await filesOf(running, id)).toEqual([]);
  expect((await getJson<{ code: string }>(`${running.url}/uploads/${id}/content`)).body.code).toBe('upload_cancelled');
});
