import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import { queueKeys } from '../../src/queue/contract.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves } from '../helpers/put-in-halves.ts';
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

async function resultOf(url: string, id: string): Promise<Upload> {
  return await eventually(
    'the upload to be final',
    async () => {
      const { status, body } = await getJson<Upload>(`${url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
      return status === 200 && body;
    },
    30_000,
  );
}

describe('two API processes and a worker', () => {
  let shared: Service;
  let first: string;
  let second: string;

  beforeAll(async () => {
    shared = await startService({ apis: 2, workers: 1 });
    [first = '', second = ''] = shared.urls;
  });
  afterAll(async () => {
    await shared.stop();
  });

  test('give the same answers if an upload is sent to one, polled at the other and processed in a third', async () => {
    const id = randomUUID();
    const sent = putFile<Upload>(
      first,
      id,
      await photo({ width: 800, height: 600 }),
      'a.jpg',
      `?timeout=${LONG_HOLD_MS}`,
    );
    await eventually('the record', async () => (await getJson(`${second}/uploads/${id}`)).status === 200);
    const seen: Progress[] = [];
    for (let since = 0; seen.at(-1)?.final !== true; since = seen.at(-1)?.version ?? 0) {
      seen.push(
        (await getJson<Progress>(`${second}/uploads/${id}/progress?since=${since}&timeout=${LONG_HOLD_MS}`)).body,
      );
    }
    expect(seen.every((progress) => !progress.timedOut)).toBe(true);
    const there = await getJson<Upload>(`${second}/uploads/${id}`);
    expect((await sent).body).toEqual(there.body);
  });

  test('both show how many bytes of an upload one of them has received', async () => {
    const id = randomUUID();
    const bytes = await photo({ width: 800, height: 600 });
    const sent = putInHalves<Upload>(`${first}/uploads/${id}?timeout=${LONG_HOLD_MS}`, bytes);
    const progress = await eventually('half of the bytes', async () => {
      const { status, body } = await getJson<Progress>(`${second}/uploads/${id}/progress`);
      return status === 200 && body.bytes.received === Math.floor(bytes.length / 2) && body;
    });
    expect(progress).toMatchObject({ state: 'receiving', stage: 'receive' });
    sent.finish();
    expect((await sent.answer).status).toBe(200);
  });

  test('let a later PUT at one take over from a PUT that the other is still receiving', async () => {
    const id = randomUUID();
    const bytes = await photo({ width: 400, height: 300 });
    const hanging = new AbortController();
    async function* never() {
      yield bytes.subarray(0, 5000);
      await new Promise((resolve) => hanging.signal.addEventListener('abort', resolve));
    }
    const dead = fetch(`${first}/uploads/${id}`, {
      method: 'PUT',
      body: never() as unknown as BodyInit,
      duplex: 'half',
      signal: hanging.signal,
    } as RequestInit).catch(() => undefined);
    await eventually(
      'the first to be receiving',
      async () => (await getJson<Upload>(`${first}/uploads/${id}`)).body.state === 'receiving',
    );
    const taken = await putFile<Upload>(second, id, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect([taken.status, taken.body.state]).toEqual([200, 'completed']);
    hanging.abort();
    await dead;
    await eventually(
      'the first to have ended',
      async () => (await getJson<Upload>(`${first}/uploads/${id}`)).body.state === 'completed',
    );
  });

  test('create one new life of a cancelled upload that is sent to both at the same time', async () => {
    const bytes = await photo({ width: 200, height: 150 });
    for (let round = 0; round < 10; round += 1) {
      const id = randomUUID();
      await putFile(first, id, bytes, 'a.jpg');
      await fetch(`${first}/uploads/${id}/cancel`, { method: 'POST' });
      const sent = await Promise.all([first, second].map((url) => putFile<{ code?: string }>(url, id, bytes, 'a.jpg')));
      // One of them may be superseded by the other. Neither may get a conflict or a fault.
      expect(
        sent
          .map(({ status, body }) => body.code ?? status)
          .filter((word) => word !== 202 && word !== 'upload_superseded'),
      ).toEqual([]);
      expect(await resultOf(first, id)).toMatchObject({ state: 'completed' });
    }
  });
});

test('a picture that was processed during the death of two workers is processed in a process of its own', async () => {
  const fleet = await service({ workers: 0 });
  const id = randomUUID();
  await putFile(fleet.url, id, await photo({ width: 800, height: 600 }), 'a.jpg');
  await redisCommand(fleet.redis.url, 'HSET', queueKeys('deferred-uploads').record(id), 'deaths', '2');
  const worker = await fleet.addWorker();
  const upload = await resultOf(fleet.url, id);
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
    for (const id of ids) expect((await resultOf(url, id)).state).toBe('completed');
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
