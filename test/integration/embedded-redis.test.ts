import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { embeddedRedis, type EmbeddedRedis } from '../../scripts/embedded-redis.ts';
import { endLeftovers } from '../../scripts/leftovers.ts';
import { processIdentity } from '../../scripts/setup/process-identity.mjs';
import { ensureRedisServer } from '../../scripts/setup/redis-binary.mjs';
import { Supervisor } from '../../scripts/supervisor.ts';
import { eventually } from '../helpers/eventually.ts';
import { patienceMs } from '../helpers/patience.ts';
import { runScript } from '../helpers/script-process.ts';

const GRACE_MS = patienceMs(5000);

describe('embeddedRedis', () => {
  let directory: string;
  let stops: (() => Promise<void>)[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'du-embedded-'));
    stops = [];
  });

  afterEach(async () => {
    for (const stop of stops.reverse()) await stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function start(dataDirectory = directory): Promise<{ redis: EmbeddedRedis; stop: () => Promise<void> }> {
    const redis = embeddedRedis(await ensureRedisServer(console.log), dataDirectory, GRACE_MS);
    const log = { warn: () => undefined, error: (fields: object) => console.error(fields) };
    const supervisor = new Supervisor({ foundation: [redis.spec], children: [], log });
    const stop = async (): Promise<void> => {
      await supervisor.stop();
      redis.close();
    };
    stops.push(stop);
    expect(await supervisor.start()).toBe(true);
    return { redis, stop };
  }

  async function ask<T>(url: string, question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(url);
    try {
      return await question(client);
    } finally {
      client.disconnect();
    }
  }

  const pidAt = (url: string): Promise<number> =>
    ask(url, async (client) => Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]));

  test('listens on a socket that only its owner can open, and never evicts keys', async () => {
    const { redis } = await start();
    expect(redis.url).toBe(join(directory, 'redis.sock'));
    expect(statSync(redis.url).mode & 0o777).toBe(0o700);
    expect(await ask(redis.url, (client) => client.config('GET', 'maxmemory-policy'))).toEqual([
      'maxmemory-policy',
      'noeviction',
    ]);
  });

  test('uses at most a quarter of the memory, and disconnects clients that do not read', async () => {
    const { redis } = await start();
    const limits = await ask(redis.url, async (client) => [
      ...(await client.config('GET', 'maxmemory')),
      ...(await client.config('GET', 'client-output-buffer-limit')),
    ]);
    expect(Number(limits[1])).toBeGreaterThan(0);
    expect(Number(limits[1])).toBeLessThanOrEqual(totalmem() / 4);
    expect(limits[3]).toMatch(/^normal 67108864 33554432 10 /);
  });

  test('keeps its data over a stop and a start', async () => {
    const first = await start();
    await ask(first.redis.url, (client) => client.set('key', 'value'));
    await first.stop();
    expect(existsSync(first.redis.url)).toBe(false);
    const second = await start();
    expect(await ask(second.redis.url, (client) => client.get('key'))).toBe('value');
  });

  test('restarts with its data after it was killed', async () => {
    const { redis } = await start();
    await ask(redis.url, (client) => client.set('key', 'value'));
    const pid = await pidAt(redis.url);
    process.kill(pid, 'SIGKILL');
    await eventually('the first to be gone', () => processIdentity(pid) === undefined);
    expect(await ask(redis.url, (client) => client.get('key'))).toBe('value');
    expect(await pidAt(redis.url)).not.toBe(pid);
  });

  test.each(['d'.repeat(120), 'with blank'])(
    'puts the socket elsewhere if the path is not usable: %s',
    async (name) => {
      const deep = join(directory, name);
      const { redis, stop } = await start(deep);
      expect(redis.url.startsWith(deep)).toBe(false);
      expect(await ask(redis.url, (client) => client.ping())).toBe('PONG');
      await stop();
      expect(existsSync(dirname(redis.url))).toBe(false);
      expect(existsSync(join(deep, 'appendonlydir'))).toBe(true);
    },
  );

  test('is ended by its guard after the supervisor was killed', async () => {
    const { pid, url } = await orphan(1000);
    await eventually('the redis to be gone', () => processIdentity(pid) === undefined);
    expect(existsSync(url)).toBe(false);
  });

  test('is ended by the next start after the supervisor was killed', async () => {
    // The guard of this Redis waits until after the test.
    const { pid } = await orphan(600_000);
    expect(await endLeftovers(directory, GRACE_MS)).toBe(1);
    expect(processIdentity(pid)).toBeUndefined();
    expect(await endLeftovers(directory, GRACE_MS)).toBe(0);
    const { redis } = await start();
    expect(await ask(redis.url, (client) => client.get('key'))).toBe('value');
  });

  /** Starts a Redis whose supervisor is then killed. Its guard waits for the grace period. */
  async function orphan(graceMs: number): Promise<{ pid: number; url: string }> {
    const args = [join(directory, 'eventLog'), '--redis', directory, String(graceMs)];
    const supervisor = runScript('test/helpers/supervisor-process.ts', args, { cwd: directory });
    await supervisor.printed('started');
    const url = join(directory, 'redis.sock');
    await ask(url, (client) => client.set('key', 'value'));
    const pid = await pidAt(url);
    expect(JSON.parse(readFileSync(join(directory, 'redis.pid'), 'utf8'))).toMatchObject({ pid, endsItself: false });
    supervisor.signal('SIGKILL');
    await supervisor.ended;
    return { pid, url };
  }
});
