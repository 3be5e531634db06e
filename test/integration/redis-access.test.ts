import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../src/settings/config.ts';
import { closeConnection, openCommandConnection } from '../../src/queue/connection.ts';
import { RedisCheck } from '../../src/queue/redis-check.ts';
import type { RedisPlace } from '../../src/queue/redis-place.ts';
import type { Upload } from '../../src/wire/documents.ts';
import { makeCertificates, type Certificates } from '../helpers/certificates.ts';
import { putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { holdPort, type HeldPort } from '../helpers/hold-port.ts';
import { patienceMs } from '../helpers/patience.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { silentLog } from '../helpers/record-space.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { launchRedis, startRedisServer, type RedisServer } from '../helpers/redis-server.ts';
import { startProcess, startService } from '../helpers/service.ts';

const ends: (() => Promise<unknown> | void)[] = [];
let certificates: Certificates;

beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function heldPort(): Promise<HeldPort> {
  const held = await holdPort();
  ends.push(() => held.release());
  return held;
}

const tlsArgs = (port: number): string[] => [
  '--tls-port',
  String(port),
  '--tls-auth-clients',
  'yes',
  '--tls-ca-cert-file',
  certificates.ca,
  '--tls-cert-file',
  certificates.cert,
  '--tls-key-file',
  certificates.key,
];

/** Starts a server with TLS on a port. The test itself connects to a socket without TLS. */
async function startTlsServer(more: readonly string[] = []): Promise<{ redis: RedisServer; port: number }> {
  const { port } = await heldPort();
  const redis = await startRedisServer({ args: [...tlsArgs(port), ...more] });
  ends.push(() => redis.stop());
  return { redis, port };
}

const tlsSettings = (): Record<string, string> => ({
  REDIS_TLS: 'true',
  REDIS_TLS_CA: certificates.ca,
  REDIS_TLS_CERT: certificates.cert,
  REDIS_TLS_KEY: certificates.key,
});

function placeOf(settings: Record<string, string>): RedisPlace {
  const { redis } = loadConfig({ ...tlsSettings(), ...settings });
  if (redis === undefined) throw new Error('no Redis is set');
  return redis;
}

/** Writes and reads a key over a new connection. */
async function expectAnswers(place: RedisPlace): Promise<void> {
  const connection = openCommandConnection(place, silentLog);
  try {
    await eventually('the connection', () => connection.status === 'ready');
    await connection.set('greeting', 'hello');
    expect(await connection.get('greeting')).toBe('hello');
  } finally {
    await closeConnection(connection);
  }
}

describe('a Redis that accepts only TLS with client certificates', () => {
  test('is reached by its URL, with rediss:// or with REDIS_TLS', async () => {
    const { port } = await startTlsServer();
    await expectAnswers(placeOf({ REDIS_URL: `redis://127.0.0.1:${port}` }));
    await expectAnswers(placeOf({ REDIS_URL: `rediss://localhost:${port}`, REDIS_TLS: 'false' }));
  });

  test('is reached through sentinels that also accept only TLS', async () => {
    const { redis, port } = await startTlsServer();
    const [sentinel, plain] = [await heldPort(), await heldPort()];
    const file = join(redis.directory, 'sentinel.conf');
    const lines = [
      'bind 127.0.0.1',
      `port ${plain.port}`,
      `dir ${redis.directory}`,
      'tls-replication yes',
      `tls-port ${sentinel.port}`,
      `tls-ca-cert-file ${certificates.ca}`,
      `tls-cert-file ${certificates.cert}`,
      `tls-key-file ${certificates.key}`,
      `sentinel monitor mymaster 127.0.0.1 ${port} 1`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    const running = await launchRedis([file, '--sentinel'], { host: '127.0.0.1', port: plain.port });
    ends.push(() => running.end());
    await expectAnswers(placeOf({ REDIS_SENTINELS: `127.0.0.1:${sentinel.port}` }));
  });

  test('is reached as a cluster', async () => {
    const bus = await heldPort();
    const { redis, port } = await startTlsServer([
      '--cluster-enabled',
      'yes',
      '--tls-cluster',
      'yes',
      '--cluster-port',
      String(bus.port),
      '--cluster-announce-ip',
      '127.0.0.1',
      '--cluster-config-file',
      'nodes.conf',
    ]);
    await redisCommand(redis.url, 'CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually('the cluster', async () =>
      String(await redisCommand(redis.url, 'CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
    await expectAnswers(placeOf({ REDIS_CLUSTER_NODES: `127.0.0.1:${port}` }));
  });

  test('serves an upload from its first byte to its result', async () => {
    const { port } = await startTlsServer();
    const service = await startService({ env: { ...tlsSettings(), REDIS_URL: `rediss://127.0.0.1:${port}` } });
    ends.push(() => service.stop());
    const bytes = await photo({ width: 120, height: 90 });
    const { body } = await putFile<Upload>(service.url, randomUUID(), bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect(body.state).toBe('completed');
  });

  test('with a certificate that is not trusted stops the start with one line', async () => {
    const { port } = await startTlsServer();
    const place = placeOf({ REDIS_TLS_CA: '', REDIS_URL: `rediss://127.0.0.1:${port}` });
    const connection = openCommandConnection(place, silentLog);
    ends.push(() => connection.disconnect());
    const start = RedisCheck.start(connection, silentLog, { limitMs: patienceMs(10_000) });
    await expect(start).rejects.toThrow(/^Redis rejects the connection: .*certificate/);
  });
});

test.each([
  [{ REDIS_TLS_CA: '/nowhere/ca.pem' }, /^wrong settings: REDIS_TLS_CA cannot be read: ENOENT/],
  [{ REDIS_TLS_KEY: '' }, /REDIS_TLS_CERT and REDIS_TLS_KEY must be set together/],
  [{ REDIS_TLS: 'false' }, /need REDIS_TLS=true or a REDIS_URL that begins with rediss:/],
  [{ REDIS_URL: '/run/redis.sock' }, /REDIS_TLS=true needs a Redis that is reached over the network/],
])('the settings %j are rejected', (settings, message) => {
  const load = () => placeOf({ REDIS_URL: 'redis://127.0.0.1:1', ...settings });
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(message);
});

describe('a Redis user with the rights that the docs name', () => {
  const URL_PATH = (port: string, user: string) => `redis://${user}:secret@127.0.0.1:${port}`;

  async function serverWithUser(change: readonly string[] = []): Promise<string> {
    const redis = await startRedisServer({ port: 0 });
    ends.push(() => redis.stop());
    const docs = await readFile('docs/operations.md', 'utf8');
    const rule = /^ACL SETUSER uploads (.+)$/m.exec(docs)?.[1];
    if (rule === undefined) throw new Error('docs/operations.md has no ACL line');
    const rights = rule.replace('>a-long-password', '>secret').split(' ');
    await redisCommand(redis.url, 'ACL', 'SETUSER', 'uploads', ...rights, ...change);
    return URL_PATH(new URL(redis.url).port, 'uploads');
  }

  test.each(['stream', 'targeted'])('can run the whole service with EVENT_BUS=%s', async (bus) => {
    const url = await serverWithUser();
    const token = 'a-token-for-operators';
    const service = await startService({ env: { REDIS_URL: url, EVENT_BUS: bus, OPERATORS_TOKEN: token } });
    ends.push(() => service.stop());
    const bytes = await photo({ width: 120, height: 90 });
    const { body } = await putFile<Upload>(service.url, randomUUID(), bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect(body.state).toBe('completed');
    await fetch(`${service.url}/uploads/${body.id}`, { method: 'DELETE' });
    const figures = await fetch(`${service.url}/operators/figures`, { headers: { Authorization: `Bearer ${token}` } });
    const statuses = [figures.status, (await fetch(`${service.url}/readyz`)).status];
    expect([
      statuses[1],
      [...service.apis, ...service.workers].filter((one) => one.output().includes('NOPERM')),
    ]).toEqual([200, []]);
    expect(figures.status).not.toBe(500);
  });

  test.each(['src/server/main.ts', 'workers/main.ts'])('but without XINFO stops %s with one line', async (entry) => {
    const url = await serverWithUser(['-xinfo']);
    const started = startProcess(entry, { HOST: '127.0.0.1', PORT: '0', REDIS_URL: url });
    await expect(started).rejects.toThrow(/deferred-uploads: The Redis user lacks a right \(NOPERM .*xinfo/);
  });
});
