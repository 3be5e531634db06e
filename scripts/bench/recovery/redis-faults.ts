import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../../test/helpers/eventually.ts';
import { redisCommand } from '../../../test/helpers/redis-command.ts';
import { queueKeys } from '../../../src/queue/contract.ts';
import { startOnFamily, startOnServer, type Ground } from './redis-ground.ts';

/** One fault of Redis or of its subscribers. */
export interface RedisFault {
  readonly title: string;
  start(): Promise<Ground>;
  /**
   * Causes the fault, and resolves with the time at which the measurement starts: the end of the fault, or its moment
   * if it has no duration.
   */
  strike(ground: Ground): Promise<number>;
}

const keys = queueKeys('deferred-uploads');
const FAILOVER_WITHIN_MS = 60_000;

async function outage({ service: { redis } }: Ground, outageMs: number): Promise<number> {
  await redis.down();
  await delay(outageMs);
  await redis.up();
  return Date.now();
}

async function killConnections({ service: { redis } }: Ground): Promise<number> {
  const atMs = Date.now();
  for (const type of ['normal', 'pubsub'])
    await redisCommand(redis.url, 'CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
  return atMs;
}

async function trimStream({ service: { redis } }: Ground): Promise<number> {
  const atMs = Date.now();
  await redisCommand(redis.url, 'XTRIM', keys.events, 'MAXLEN', '0');
  return atMs;
}

async function fillMemory({ service: { redis } }: Ground): Promise<number> {
  await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '1');
  await delay(2_000);
  await redisCommand(redis.url, 'CONFIG', 'SET', 'maxmemory', '0');
  return Date.now();
}

async function failOver({ family }: Ground, signal: NodeJS.Signals): Promise<number> {
  if (family === undefined) throw new Error('there is nobody to fail over to');
  await family.inStep();
  const before = await family.master();
  const atMs = Date.now();
  process.kill(before.pid, signal);
  await eventually('another master', async () => (await family.master()) !== before, FAILOVER_WITHIN_MS);
  return atMs;
}

async function killApi({ service }: Ground): Promise<number> {
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
      strike: async (ground) => await outage(ground, outageMs),
    },
    {
      title: 'Redis killed and started again',
      start: startOnServer,
      strike: async (ground) => await outage(ground, 0),
    },
    { title: 'every connection cut (CLIENT KILL)', start: startOnServer, strike: killConnections },
    { title: 'event stream trimmed to nothing', start: startOnServer, strike: trimStream },
    { title: 'memory full for 2 s', start: startOnServer, strike: fillMemory },
    {
      title: 'master killed, down-after-milliseconds 1000',
      start: startOnFamily,
      strike: async (ground) => await failOver(ground, 'SIGKILL'),
    },
    {
      title: 'master hangs, down-after-milliseconds 1000',
      start: startOnFamily,
      strike: async (ground) => await failOver(ground, 'SIGSTOP'),
    },
    { title: 'API process killed (SIGKILL)', start: startOnServer, strike: killApi },
  ];
}
