import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import { connectToServer, type SingleRedis } from '../../src/queue/redis-client.ts';
import { parseHosts } from '../../src/queue/redis-place.ts';
import { getJson, putFile, type JsonAnswer } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { patienceMs } from '../helpers/patience.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves, type HalfSent } from '../helpers/put-in-halves.ts';
import { startRedisFamily, type RedisFamily } from '../helpers/redis-sentinel.ts';
import { startService, type Service } from '../helpers/service.ts';
import { createTus } from '../helpers/tus-requests.ts';
import { heldInMetrics } from '../helpers/held-in-metrics.ts';

/** Time limit of a failover. The sentinel is slow, and so may be a busy machine. */
const FAILOVER_WITHIN_MS = 25_000;

let family: RedisFamily;
let service: Service;
/** One API process receives events by channels, the other by the stream. The first also publishes to channels. */
let urls: readonly [targeted: string, stream: string];
let bytes: Buffer;
const followers: SingleRedis[] = [];

beforeAll(async () => {
  [family, bytes] = await Promise.all([startRedisFamily(), photo({ width: 120, height: 90 })]);
  const env = { REDIS_URL: '', REDIS_SENTINELS: family.sentinels, EVENT_BUS: 'targeted' };
  service = await startService({ redis: await family.master(), env });
  urls = [service.url, (await service.addApi({ EVENT_BUS: 'stream' })).url];
});
afterAll(async () => {
  followers.forEach((connection) => connection.disconnect());
  await service.stop();
  await family.stop();
});

/** Creates an upload for which both processes hold a poll. */
async function held(id: string): Promise<{ answers: Promise<JsonAnswer<Progress>[]> }> {
  const answers = Promise.all(
    urls.map((url) => getJson<Progress>(`${url}/uploads/${id}/progress?since=1&timeout=${LONG_HOLD_MS}`)),
  );
  answers.catch(() => undefined);
  await eventually('the polls to be held', async () => {
    const metrics = await Promise.all(urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
    return metrics.every((text) => heldInMetrics(text) === 1);
  });
  return { answers };
}

/** Opens a connection like those of the service, and records its events in order. */
function openFollower(): { connection: SingleRedis; events: readonly string[] } {
  const credentials = { username: undefined, password: undefined, sentinelPassword: undefined };
  const connection = connectToServer(
    { sentinels: parseHosts(family.sentinels, 26_379) ?? [], masterName: 'mymaster', ...credentials },
    'fails-at-once',
  );
  const events: string[] = [];
  connection.on('ready', () => events.push('ready')).on('close', () => events.push('close'));
  connection.on('error', () => undefined);
  followers.push(connection);
  return { connection, events };
}

/** Sends half of a PUT. If it is rejected because a connection is being opened again, it is repeated. */
async function halfSent(url: string, id: string): Promise<HalfSent<Upload>> {
  return await eventually('half of the upload', async () => {
    const sent = putInHalves<Upload>(`${url}/uploads/${id}?timeout=${LONG_HOLD_MS}`, bytes);
    const isThere = eventually(
      'its record',
      async () => (await getJson<Upload>(`${url}/uploads/${id}`)).body.state === 'receiving',
    );
    const wasRefused = sent.answer.then(() => false);
    return (await Promise.race([isThere, wasRefused])) && sent;
  });
}

test.each([
  ['dies', 2, 'SIGKILL'],
  ['hangs, and keeps its connections', 1, 'SIGSTOP'],
] as const)(
  'held responses and running uploads continue with the new master if the old master %s',
  async (_how, replicas, signal) => {
    const resting = await eventually(
      'an upload',
      async () => await createTus(urls[0], { 'Upload-Length': '5000' }).catch(() => undefined),
    );
    const done = await eventually('another', async () => {
      const { status, body } = await putFile<Upload>(urls[1], randomUUID(), bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
      return status === 200 && body;
    });
    const { answers } = await held(resting);
    const id = randomUUID();
    const { answer: underWay, finish } = await halfSent(urls[1], id);
    // When the master dies, Redis loses the writes that were not replicated. Here all are replicated first.
    await family.inStep(replicas);

    const before = await family.master();
    const { switched } = await family.listenForSwitch();
    const { connection, events } = openFollower();
    await eventually('a connection', () => events.includes('ready'));
    process.kill(before.pid, signal);
    await eventually('another master', async () => (await family.master()) !== before, FAILOVER_WITHIN_MS);
    await eventually(
      'readiness',
      async () => (await Promise.all(urls.map((url) => fetch(`${url}/readyz`)))).every(({ status }) => status === 200),
      FAILOVER_WITHIN_MS,
    );
    finish();
    expect(await underWay).toMatchObject({ status: 200, body: { id, state: 'completed' } });
    expect(
      await eventually('what was done before', async () => {
        const { status, body } = await getJson<Upload>(`${urls[0]}/uploads/${done.id}`);
        return status === 200 && body;
      }),
    ).toEqual(done);
    await eventually(
      'the cancel',
      async () => (await fetch(`${urls[0]}/uploads/${resting}/cancel`, { method: 'POST' })).status < 300,
    );
    expect((await answers).map(({ body: progress }) => progress.state)).toEqual(['cancelled', 'cancelled']);
    // The service usually finds the new master before the sentinel reports it, and then keeps that connection.
    await switched;
    const readyTimes = (): number => events.filter((event) => event === 'ready').length;
    await eventually('the new master', () => readyTimes() >= 2);
    await connection.ping();
    expect(readyTimes()).toBe(2);
    expect(events.at(-1)).toBe('ready');
  },
  patienceMs(90_000),
);
