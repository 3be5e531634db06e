import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../test/helpers/eventually.ts';
import { redisCommand } from '../../../test/helpers/redis-command.ts';
import { queueKeys } from '../../../src/queue/contract.ts';
import { startOnFamily, startOnServer, type RedisSetup } from './redis-setup.ts';

/** One fault of Redis or of its subscribers. */
export interface RedisFault {
  readonly title: string;
  start(): Promise<RedisSetup>;
  /**
   * Causes the fault, and resolves with the time at which the measurement starts: the end of the fault, or its moment
   * if it has no duration.
   */
  inject(setup: RedisSetup): Promise<number>;
}

const keys = queueKeys('deferred-uploads');
const FAILOVER_WITHIN_MS = 60_000;

async function outage({ service: { redis } }: RedisSetup, outageMs: number): Promise<number> {
  await redis.down();
  await delay(outageMs);
  await redis.up();
  return Date.now();
}

async function killConnections({ service: { redis } }: RedisSetup): Promise<number> {
  const atMs = Date.now();
  for (const type of ['normal', 'pubsub'])
    await redisCommand(redis.url, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
  return atMs;
}

async function trimStream({ service: { redis } }: RedisSetup): Promise<number> {
  const atMs = Date.now();
  await redisCommand(redis.url, 'XTRIM', keys.events, 'MAXLEN', '0');
  return atMs;
}

async function fillMemory({ service: { redis } }: RedisSetup): Promise<number> {
  await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '1');
  await delay(2_000);
  await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '0');
  return Date.now();
}

async function failOver({ family }: RedisSetup, signal: NodeJS.Signals): Promise<number> {
  if (family === undefined) throw new Error('there is nobody to fail over to');
  await family.inStep();
  const before = await family.master();
  const atMs = Date.now();
  process.kill(before.pid, signal);
  await eventually('another master', async () => (await family.master()) !== before, FAILOVER_WITHIN_MS);
  return atMs;
}

async function killApi({ service }: RedisSetup): Promise<number> {
  const atMs = Date.now();
  await service.apis[0]?.end('SIGKILL');
  return atMs;
}

/** Returns all faults in the order of the table. The longest come first, because several lanes share them. */
export function redisFaults(outageMs: number): RedisFault[] {
  return [
    {
      title: `Redis away for ${outageMs / 1000} s`,
      start: startOnServer,
      inject: async (setup) => await outage(setup, outageMs),
    },
    { title: 'Redis killed and started again', start: startOnServer, inject: async (setup) => await outage(setup, 0) },
    { title: 'every connection cut (CLIENT KILL)', start: startOnServer, inject: killConnections },
    { title: 'event stream trimmed to nothing', start: startOnServer, inject: trimStream },
    { title: 'memory full for 2 s', start: startOnServer, inject: fillMemory },
    {
      title: 'master killed, down-after-milliseconds 1000',
      start: startOnFamily,
      inject: async (setup) => await failOver(setup, 'SIGKILL'),
    },
    {
      title: 'master hangs, down-after-milliseconds 1000',
      start: startOnFamily,
      inject: async (setup) => await failOver(setup, 'SIGSTOP'),
    },
    { title: 'API process killed (SIGKILL)', start: startOnServer, inject: killApi },
  ];
}
