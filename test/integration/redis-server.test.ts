import { afterEach, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Redis } from 'ioredis';
import { startRedisServer, type RedisServer } from '../helpers/redis-server.ts';

describe('startRedisServer', () => {
  let server: RedisServer | undefined;

  afterEach(() => server?.stop());

  test('serves on a unix socket and leaves nothing after its stop', async () => {
    server = await startRedisServer();
    const redis = new Redis(server.url);
    expect(await redis.set('key', 'value')).toBe('OK');
    redis.disconnect();
    const { pid } = server;
    await server.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(existsSync(dirname(server.url))).toBe(false);
  });

  test('keeps its TCP port over a restart, and its data if the test asks for it', async () => {
    server = await startRedisServer({ port: 0, persist: true });
    expect(server.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
    const redis = new Redis(server.url);
    redis.on('error', () => undefined);
    await redis.set('key', 'value');
    const firstPid = server.pid;
    await server.restart();
    expect(server.pid).not.toBe(firstPid);
    expect(await redis.get('key')).toBe('value');
    redis.disconnect();
  });
});
