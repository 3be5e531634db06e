import { afterEach, describe, expect, test } from '@jest/globals';
import { ConfigError } from '../../../src/settings/config.ts';
import {
  closeConnection,
  openCommandConnection,
  openWaitingConnection,
  type Redis,
} from '../../../src/queue/connection.ts';
import { faultIn, RedisCheck } from '../../../src/queue/redis-check.ts';
import { eventually } from '../../helpers/eventually.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { redisCommand } from '../../helpers/redis-command.ts';
import { startRedisServer, type RedisServer } from '../../helpers/redis-server.ts';

const info = (version: string, policy: string) =>
  `# Server\r\nredis_version:${version}\r\n\r\n# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:${policy}\r\nallocator:x\r\n`;

describe('the information of a Redis', () => {
  test.each([
    [info('6.2.0', 'noeviction'), false, undefined],
    [info('10.0.1', 'noeviction'), true, undefined],
    [info('6.0.16', 'noeviction'), false, 'Redis 6.0.16 is too old. Use 6.2 or newer.'],
    [info('6.2.14', 'noeviction'), true, 'Redis 6.2.14 is too old. Use 7.0 or newer.'],
    [
      info('7.0.15', 'allkeys-lru'),
      false,
      'Redis has the maxmemory-policy allkeys-lru, so it deletes records of uploads when its memory is full. Set it to noeviction.',
    ],
    ['# nothing that we ask for\r\n', false, undefined],
  ])('is accepted, or the fault names the reason: %j (cluster: %s)', (text, isClustered, fault) => {
    expect(faultIn(text, isClustered)).toBe(fault);
  });
});

describe('the check of Redis', () => {
  const open: { connection: Redis; redis: RedisServer }[] = [];

  afterEach(async () => {
    for (const { connection, redis } of open.splice(0)) {
      await closeConnection(connection);
      await redis.stop();
    }
  });

  async function connect(
    args: readonly string[],
    openConnection: typeof openCommandConnection = openCommandConnection,
  ) {
    const redis = await startRedisServer({ args });
    const connection = openConnection(redis.url, silentLog);
    open.push({ connection, redis });
    return { redis, connection };
  }

  test('ends the start if Redis may delete records', async () => {
    const { connection } = await connect(['--maxmemory-policy', 'volatile-ttl']);
    await expect(RedisCheck.start(connection, silentLog)).rejects.toThrow(
      new ConfigError(faultIn(info('7.0.0', 'volatile-ttl'), false)),
    );
  });

  test('ends the start if Redis rejects the connection, also without a limit', async () => {
    for (const openConnection of [openCommandConnection, openWaitingConnection]) {
      const { redis } = await connect([]);
      await redisCommand(redis.url, 'CONFIG', 'SET', 'requirepass', 'secret');
      const connection = openConnection(redis.url, silentLog);
      await expect(RedisCheck.start(connection, silentLog, { limitMs: Infinity })).rejects.toThrow(
        /^Redis rejects the connection: NOAUTH/,
      );
      connection.disconnect();
    }
  });

  test('does not delay the start while Redis is away, and is not ready while Redis has a fault', async () => {
    const { redis, connection } = await connect([]);
    await new Promise((resolve) => connection.once('ready', resolve));
    await redis.down();
    await eventually('the connection to know', () => connection.status !== 'ready');
    const check = await RedisCheck.start(connection, silentLog);
    await expect(check.assertReady('a')).rejects.toMatchObject({
      code: 'service_unavailable',
      retryAfterMs: expect.any(Number) as unknown,
    });
    await redis.up();
    await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
    const answer = async () =>
      await check.assertReady('a').then(
        () => 'ready',
        (error: Error) => error.message,
      );
    const reconnected = async () => {
      await eventually('the connection', () => connection.status === 'ready');
      await redisCommand(redis.url, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    };
    await reconnected();
    await eventually('the check', async () => (await answer()).includes('a configuration error'));
    await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await reconnected();
    await eventually('the other look', async () => (await answer()) === 'ready');
  });

  test.each(['info', 'xinfo', 'eval', 'publish'])('ends the start if its user may not use %s', async (command) => {
    const { redis, connection } = await connect([]);
    await redisCommand(redis.url, 'ACL', 'SETUSER', 'default', `-${command}`);
    await expect(RedisCheck.start(connection, silentLog)).rejects.toThrow(
      new RegExp(`^The Redis user lacks a right \\(NOPERM .*'${command}.*docs/operations\\.md\\.$`),
    );
  });

  test('is ready again once a revoked right is granted again', async () => {
    const { redis, connection } = await connect([]);
    const check = await RedisCheck.start(connection, silentLog);
    await redisCommand(redis.url, 'ACL', 'SETUSER', 'default', '-info');
    await redisCommand(redis.url, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const isReady = async () =>
      await check.assertReady('a').then(
        () => true,
        () => false,
      );
    await eventually('the check to notice', async () => !(await isReady()));
    await redisCommand(redis.url, 'ACL', 'SETUSER', 'default', '+info');
    await eventually('the check to be content', isReady);
  });
});
