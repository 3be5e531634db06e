import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import { queueKeys } from '../../src/queue/contract.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { startRedisCluster, type RedisCluster } from '../helpers/redis-cluster.ts';
import { startService, type Service } from '../helpers/service.ts';
import { SECRET, startReceiver, type WebhookReceiver } from '../helpers/webhook-receiver.ts';
import { createTus } from '../helpers/tus-requests.ts';
import { heldInMetrics } from '../helpers/held-in-metrics.ts';

let cluster: RedisCluster;
let receiver: WebhookReceiver;
let service: Service;
/** One API process receives events by sharded channels of its uploads, the other by the stream. */
let urls: readonly [targeted: string, stream: string];

beforeAll(async () => {
  [cluster, receiver] = await Promise.all([startRedisCluster(), startReceiver()]);
  const webhooks = { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET, WEBHOOK_ALLOW: '127.0.0.1' };
  const redis = await cluster.ownerOf(queueKeys('deferred-uploads').events);
  service = await startService({
    redis,
    env: {
      ...webhooks,
      REDIS_URL: '',
      REDIS_CLUSTER_NODES: cluster.nodes,
      EVENT_BUS: 'targeted',
      SWEEP_PERIOD_MS: '300',
    },
  });
  urls = [service.url, (await service.addApi({ EVENT_BUS: 'stream' })).url];
});
afterAll(async () => {
  await service.stop();
  await Promise.all([cluster.stop(), receiver.close()]);
});

test('the service runs on a cluster: uploads, workers, janitor, webhooks and polls in every process', async () => {
  for (const url of urls)
    await eventually(`${url} to be ready`, async () => (await fetch(`${url}/readyz`)).status === 200);
  const bytes = await photo({ width: 120, height: 90 });
  const sent = await Promise.all(
    urls.map((url) => putFile<Upload>(url, randomUUID(), bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`)),
  );
  expect(sent.map(({ status, body }) => [status, body.state])).toEqual([
    [200, 'completed'],
    [200, 'completed'],
  ]);
  const resting = await createTus(urls[0], { 'Upload-Length': '5000' });
  const held = Promise.all(
    urls.map((url) => getJson<Progress>(`${url}/uploads/${resting}/progress?since=1&timeout=${LONG_HOLD_MS}`)),
  );
  await eventually('the polls to be held', async () => {
    const metrics = await Promise.all(urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
    return metrics.every((text) => heldInMetrics(text) === 1);
  });
  await fetch(`${urls[0]}/uploads/${resting}/cancel`, { method: 'POST' });
  expect((await held).map(({ body }) => [body.state, body.timedOut])).toEqual([
    ['cancelled', false],
    ['cancelled', false],
  ]);
  await eventually('the webhooks of all uploads', () => {
    const reported = new Set(receiver.received.map(({ webhook }) => webhook.data.id));
    return [...sent.map(({ body }) => body.id), resting].every((id) => reported.has(id));
  });
  await eventually('a sweep', () => service.workers[0]?.lines().some(({ msg }) => msg === 'storage reconciled'));
});

test('uploads are rejected while the node of the keys is away, and restored when it is back empty', async () => {
  const bytes = await photo({ width: 120, height: 90 });
  const { body: before } = await putFile<Upload>(urls[0], randomUUID(), bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
  await service.redis.down();
  for (const url of urls) {
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await putFile<Upload>(url, randomUUID(), bytes, 'a.jpg')).status).toBe(503);
  }
  await service.redis.up();
  for (const url of urls) {
    await eventually(
      'an upload to go through',
      async () =>
        (await putFile<Upload>(url, randomUUID(), bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`)).body.state ===
        'completed',
      20_000,
    );
  }
  await eventually(
    'the upload from before',
    async () => (await getJson<Upload>(`${urls[0]}/uploads/${before.id}`)).body.state === 'completed',
    20_000,
  );
});
