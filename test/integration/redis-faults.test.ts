import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { queueKeys } from '../../src/queue/contract.ts';
import type { Problem, Progress, Upload } from '../../src/wire/documents.ts';
import { getJson, putFile, requestJson, type JsonAnswer } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { patienceMs } from '../helpers/patience.ts';
import { photo } from '../helpers/pictures.ts';
import { rawRequest } from '../helpers/raw-request.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { startRedisServer, type RedisServer } from '../helpers/redis-server.ts';
import { runScript } from '../helpers/script-process.ts';
import { startService, type Service } from '../helpers/service.ts';
import { createTus } from '../helpers/tus-requests.ts';
import { filesOfUpload } from '../helpers/stored-files.ts';
import { SECRET, startReceiver, type WebhookReceiver } from '../helpers/webhook-receiver.ts';
import { heldInMetrics } from '../helpers/held-in-metrics.ts';

const keys = queueKeys('deferred-uploads');

/** A hold that ends while Redis is away. It is long enough for a slow machine to report that the poll is held. */
const BRIEF_HOLD_MS = patienceMs(3_000);

/** Adds changes of other uploads, twice as many as the stream keeps. KEYS: 1 stream. ARGV: 1 prefix of channels. */
const NOISE_SCRIPT = `
for count = 1, 20000 do
  local data = '{"state":"processing","version":"' .. count .. '"}'
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', 10000, '*', 'event', 'progress', 'jobId', 'other-' .. count, 'data', data)
  redis.call('PUBLISH', ARGV[1] .. 'other-' .. count, data)
end
`;

let redis: RedisServer;
let receiver: WebhookReceiver;
let service: Service;
/** One API process receives events by channels, the other by the stream. The first also publishes to channels. */
let urls: readonly [targeted: string, stream: string];
let bytes: Buffer;

beforeAll(async () => {
  [redis, receiver, bytes] = await Promise.all([
    startRedisServer({ persist: true }),
    startReceiver(),
    photo({ width: 120, height: 90 }),
  ]);
  service = await startService({
    redis,
    apis: 1,
    workers: 1,
    env: {
      EVENT_BUS: 'targeted',
      SWEEP_PERIOD_MS: '300',
      UPLOAD_SILENCE_MS: String(patienceMs(4000)),
      WEBHOOK_URL: receiver.url,
      WEBHOOK_SECRET: SECRET,
      WEBHOOK_ALLOW: '127.0.0.1',
    },
  });
  const other = await service.addApi({ EVENT_BUS: 'stream' });
  urls = [service.url, other.url];
});
afterAll(async () => {
  await service.stop();
  await Promise.all([redis.stop(), receiver.close()]);
});

const cancel = async (id: string) => await requestJson<Upload>(`${urls[0]}/uploads/${id}/cancel`, { method: 'POST' });
const statusOf = async (path: string) => await Promise.all(urls.map(async (url) => (await fetch(url + path)).status));

/** Creates an upload that stays at its first version: a resumable upload without bytes. */
const resting = async () => await createTus(urls[0], { 'Upload-Length': '5000' });

/** Holds polls in both processes until the upload has another version. */
async function held(
  id: string,
  version: number,
  timeoutMs = LONG_HOLD_MS,
): Promise<{ answers: Promise<JsonAnswer<Progress & Problem>[]> }> {
  const before = await heldCounts();
  const answers = Promise.all(
    urls.map((url) =>
      getJson<Progress & Problem>(`${url}/uploads/${id}/progress?since=${version}&timeout=${timeoutMs}`),
    ),
  );
  answers.catch(() => undefined);
  await eventually('the polls to be held', async () =>
    (await heldCounts()).every((count, index) => count > (before[index] ?? 0)),
  );
  return { answers };
}

async function heldCounts(): Promise<number[]> {
  return await Promise.all(urls.map(async (url) => heldInMetrics(await (await fetch(`${url}/metrics`)).text())));
}

async function filesOf(id: string): Promise<string[]> {
  return (await filesOfUpload(service.directory, id)).map((path) => basename(path));
}

async function expectRefusedUpload(): Promise<void> {
  for (const url of urls) {
    const id = randomUUID();
    const refused = await putFile<Problem>(url, id, bytes, 'a.jpg');
    expect([refused.status, refused.body.code, Number(refused.headers.get('retry-after')) > 0]).toEqual([
      503,
      'service_unavailable',
      true,
    ]);
    expect(await filesOf(id)).toEqual([]);
  }
}

/** Checks that all processes have reconnected on their own: none was restarted. */
async function expectRecovered(): Promise<void> {
  await eventually('readiness', async () => (await statusOf('/readyz')).every((status) => status === 200));
  for (const url of urls) {
    const { body } = await eventually(
      'an upload to go through',
      async () => {
        const sent = await putFile<Upload>(url, randomUUID(), bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
        return sent.status === 200 && sent;
      },
      15_000,
    );
    expect(body.state).toBe('completed');
  }
}

test('a cancel reaches held polls in every process and a sender that pauses, with every event bus', async () => {
  for (const url of urls) {
    const id = randomUUID();
    const sent = rawRequest(
      url,
      `PUT /uploads/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 * bytes.length}\r\n\r\n`,
      bytes,
    );
    const version = await eventually('its bytes', async () => {
      const { body } = await getJson<Progress>(`${url}/uploads/${id}/progress`);
      return body.bytes?.received === bytes.length && body.version;
    });
    const { answers } = await held(id, version);
    await cancel(id);
    expect((await answers).map(({ body }) => body.state)).toEqual(['cancelled', 'cancelled']);
    expect(await sent).toMatch(/^HTTP\/1\.1 410 /);
  }
});

test('while Redis restarts, uploads are rejected at once and held polls stay held', async () => {
  const id = await resting();
  const { answers } = await held(id, 1);
  const { answers: brief } = await held(id, 1, BRIEF_HOLD_MS);
  const streams = await Promise.all(urls.map((url) => fetch(`${url}/uploads/${id}/events?since=1`)));
  await redis.down();
  await expectRefusedUpload();
  expect([await statusOf('/readyz'), await statusOf('/healthz'), await statusOf(`/uploads/${id}`)]).toEqual([
    [503, 503],
    [200, 200],
    [503, 503],
  ]);
  // The answer is the last known state, because Redis cannot be read.
  expect((await brief).map(({ status, body }) => [status, body.version, body.timedOut])).toEqual([
    [200, 1, true],
    [200, 1, true],
  ]);
  await redis.up();
  await eventually('the cancel', async () => (await cancel(id)).status === 202);
  expect((await answers).map(({ body }) => body.state)).toEqual(['cancelled', 'cancelled']);
  for (const stream of streams) expect(await stream.text()).toContain('"state":"cancelled"');
  await expectRecovered();
});

test('an upload during whose body Redis goes away is rejected at its end', async () => {
  const id = randomUUID();
  async function* inHalves() {
    yield bytes.subarray(0, 1000);
    await eventually(
      'its first bytes',
      async () => (await getJson<Progress>(`${urls[0]}/uploads/${id}/progress`)).status === 200,
    );
    await redis.down();
    yield bytes.subarray(1000);
  }
  const init = { method: 'PUT', body: inHalves() as unknown as BodyInit, duplex: 'half' } as RequestInit;
  const refused = await requestJson<Problem>(`${urls[0]}/uploads/${id}`, init);
  expect([refused.status, refused.body.code, refused.headers.has('retry-after')]).toEqual([
    503,
    'service_unavailable',
    true,
  ]);
  await redis.up();
  await expectRecovered();
});

test('running uploads get their outcome although every connection is killed repeatedly', async () => {
  const id = await resting();
  const { answers } = await held(id, 1);
  const uploads = urls.map(async (url) => {
    const upload = randomUUID();
    return await eventually('the upload', async () => {
      const answer = await putFile<Upload>(url, upload, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
      return answer.status === 200 && answer.body.state;
    });
  });
  for (let round = 0; round < 10; round += 1) {
    for (const type of ['normal', 'pubsub'])
      await redisCommand(redis.url, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
  }
  expect(await Promise.all(uploads)).toEqual(['completed', 'completed']);
  await eventually('the cancel', async () => (await cancel(id)).status < 300);
  expect((await answers).map(({ body }) => body.state)).toEqual(['cancelled', 'cancelled']);
});

test.each([
  ['trimmed to nothing', ['XTRIM', keys.events, 'MAXLEN', '0']],
  ['removed', ['DEL', keys.events]],
] as const)('waiters are woken after the stream was %s', async (_how, [command, ...args]) => {
  const id = await resting();
  const { answers } = await held(id, 1);
  await redisCommand(redis.url, command, ...args);
  await cancel(id);
  expect((await answers).map(({ body }) => body.state)).toEqual(['cancelled', 'cancelled']);
});

test('no waiter misses a change if the process is stopped while other changes fill the stream twice', async () => {
  const id = await resting();
  const { answers } = await held(id, 1);
  const stopped = service.apis.map(({ child }) => child);
  for (const child of stopped) child.kill('SIGSTOP');
  try {
    // The reader of the stream receives this event at once, and is not waiting when the others come.
    await redisCommand(redis.url, 'XADD', keys.events, '*', 'event', 'progress', 'jobId', 'other', 'data', '{}');
    await redisCommand(redis.url, 'HSET', keys.record(id), 'version', '2');
    const change = JSON.stringify({
      state: 'receiving',
      version: '2',
      percent: '0',
      updatedAt: '1',
      phaseStartedAt: '1',
    });
    await redisCommand(redis.url, 'XADD', keys.events, '*', 'event', 'progress', 'jobId', id, 'data', change);
    await redisCommand(redis.url, 'PUBLISH', keys.changeChannel(id), change);
    await redisCommand(redis.url, 'EVAL', NOISE_SCRIPT, '1', keys.events, keys.changeChannel(''));
  } finally {
    for (const child of stopped) child.kill('SIGCONT');
  }
  expect((await answers).map(({ body }) => [body.version, body.timedOut])).toEqual([
    [2, false],
    [2, false],
  ]);
});

test('a process that may not read events is not ready and says why, until it may', async () => {
  const id = await resting();
  await redisCommand(redis.url, 'ACL', 'SETUSER', 'default', '-xread');
  try {
    await redisCommand(redis.url, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually('the refusal', async () => {
      const { status, body } = await getJson<Problem>(`${urls[1]}/readyz`);
      return status === 503 && body.detail.includes('NOPERM');
    });
  } finally {
    await redisCommand(redis.url, 'ACL', 'SETUSER', 'default', '+@all');
  }
  await eventually('readiness', async () => (await statusOf('/readyz')).every((status) => status === 200));
  const { answers } = await held(id, 1);
  await cancel(id);
  expect((await answers).map(({ body }) => body.state)).toEqual(['cancelled', 'cancelled']);
});

test('faults of Redis leave neither keys nor files', async () => {
  // The last fault may have hit the end of a delivery. BullMQ runs it again after at most twice the 15 s of its lock.
  await expectNothingLeft(service, undefined, 45_000);
});

test('while the memory of Redis is full, uploads are rejected at once and polls continue', async () => {
  const id = await resting();
  await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '1');
  try {
    await expectRefusedUpload();
    expect(await statusOf(`/uploads/${id}/progress`)).toEqual([200, 200]);
  } finally {
    await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '0');
  }
  await expectRecovered();
});

/** Returns the ids of the webhooks of an upload, when this number has arrived. */
async function webhookIds(id: string, count: number): Promise<string[]> {
  const ids = (): string[] => receiver.received.filter(({ webhook }) => webhook.data.id === id).map((got) => got.id);
  await eventually(`${count} webhooks of an upload`, () => ids().length >= count);
  return ids();
}

test('after Redis has lost everything, stored uploads come back and send their webhooks under the same ids', async () => {
  const id = await resting();
  const send = async (sent: Buffer): Promise<Upload> =>
    (await putFile<Upload>(urls[0], randomUUID(), sent, 'kept name.jpg', `?timeout=${LONG_HOLD_MS}`)).body;
  const [stored, damaged] = [await send(bytes), await send(bytes.subarray(0, 200))];
  const ids = await Promise.all([webhookIds(stored.id, 1), webhookIds(damaged.id, 1)]);
  await redisCommand(redis.url, 'FLUSHALL');
  await redisCommand(redis.url, 'SCRIPT', 'FLUSH');
  expect(await statusOf(`/uploads/${id}/progress?since=1`)).toEqual([404, 404]);
  await expectRecovered();
  const back = await eventually(
    'the stored upload',
    async () => {
      const { body } = await getJson<Upload>(`${urls[1]}/uploads/${stored.id}`);
      return body.state === 'completed' && body;
    },
    20_000,
  );
  expect([back.file, back.publicId, back.result]).toEqual([stored.file, stored.publicId, stored.result]);
  expect(damaged.error?.code).toBe('picture_damaged');
  expect(await Promise.all([webhookIds(stored.id, 2), webhookIds(damaged.id, 2)])).toEqual(
    ids.map(([webhookId]) => [webhookId, webhookId]),
  );
});

test('a Redis that would evict records stops the start with one line', async () => {
  await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  try {
    const env = { REDIS_URL: redis.url, PORT: '0', STORAGE: `file:${service.directory}`, LOG_LEVEL: 'warn' };
    const started = ['src/server/main.ts', 'workers/main.ts'].map((entry) =>
      runScript(entry, [], { cwd: service.directory, env }),
    );
    expect(await Promise.all(started.map(({ ended }) => ended))).toEqual([78, 78]);
    for (const { stdout, stderr } of started) {
      expect(stderr).toBe(
        'deferred-uploads: Redis has the maxmemory-policy allkeys-lru, so it deletes records of uploads when its ' +
          'memory is full. Set it to noeviction.\n',
      );
      expect(stdout).toBe('');
    }
  } finally {
    await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  }
});
