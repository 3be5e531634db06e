import { afterEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Upload } from '../../src/wire/documents.ts';
import { queueKeys } from '../../src/queue/contract.ts';
import { putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { finalResult } from '../helpers/final-result.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { startRedisServer } from '../helpers/redis-server.ts';
import { startService, type Service } from '../helpers/service.ts';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';

const open: Service[] = [];

/** Starts a service for one test and stops it afterwards. */
async function service(options: Parameters<typeof startService>[0]): Promise<Service> {
  const started = await startService(options);
  open.push(started);
  return started;
}

afterEach(async () => {
  for (const started of open.splice(0)) await started.stop();
});

test('a picture that was processed during the death of two workers is processed in a process of its own', async () => {
  const fleet = await service({ workers: 0 });
  const id = randomUUID();
  await putFile(fleet.url, id, await photo({ width: 800, height: 600 }), 'a.jpg');
  await redisCommand(fleet.redis.url, 'HSET', queueKeys('deferred-uploads').record(id), 'deaths', '2');
  const worker = await fleet.addWorker();
  const upload = await finalResult(fleet.url, id);
  expect(upload).toMatchObject({ state: 'completed', result: { width: 800, variants: { length: 3 } } });
  expect(worker.lines()).toContainEqual(expect.objectContaining({ upload: uploadRef(id), isIsolated: true }));
});

test('a service that is stopped with a full queue continues with it after a start', async () => {
  const redis = await startRedisServer({ persist: true });
  try {
    const before = await service({ redis, workers: 0 });
    const bytes = await photo({ width: 500, height: 400 });
    const ids = Array.from({ length: 5 }, () => randomUUID());
    for (const id of ids) await putFile(before.url, id, bytes, 'a.jpg');
    await Promise.all(before.apis.map((api) => api.end()));
    await redis.restart();
    await before.addApi();
    await before.addWorker();
    const url = before.apis.at(-1)?.url ?? '';
    for (const id of ids) expect((await finalResult(url, id)).state).toBe('completed');
  } finally {
    for (const started of open.splice(0)) await started.stop();
    await redis.stop();
  }
});

test('an API process without Redis starts, answers 503 and recovers when Redis is available', async () => {
  const redis = await startRedisServer();
  await redis.down();
  const fleet = await service({ redis, workers: 0 });
  try {
    expect((await fetch(`${fleet.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${fleet.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${fleet.url}/metrics`)).status).toBe(200);
    const stopped = await fleet.addApi();
    expect(await stopped.end('SIGTERM')).toBe(0);
    const refused = await putFile<{ code: string }>(
      fleet.url,
      randomUUID(),
      await photo({ width: 100, height: 80 }),
      'a.jpg',
    );
    expect([refused.status, refused.body.code, refused.headers.has('retry-after')]).toEqual([
      503,
      'service_unavailable',
      true,
    ]);
    await redis.up();
    await eventually('readiness', async () => (await fetch(`${fleet.url}/readyz`)).status === 200);
    await fleet.addWorker();
    const sent = await putFile<Upload>(
      fleet.url,
      randomUUID(),
      await photo({ width: 100, height: 80 }),
      'a.jpg',
      `?timeout=${LONG_HOLD_MS}`,
    );
    expect([sent.status, sent.body.state]).toEqual([200, 'completed']);
  } finally {
    for (const started of open.splice(0)) await started.stop();
    await redis.stop();
  }
});
