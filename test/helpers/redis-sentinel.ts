import { Redis } from 'ioredis';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { holdPort } from './hold-port.ts';
import { patienceMs } from './patience.ts';
import { launchRedis, startRedisServer, type RedisServer, type RunningRedis } from './redis-server.ts';

const REPLICAS = 2;
const MASTER_NAME = 'mymaster';

/** The time after which the sentinel considers a server dead. A server of a busy machine must answer sooner. */
const DOWN_AFTER_MS = patienceMs(1_000);

/** A failed failover is tried again after twice this time. */
const FAILOVER_TIMEOUT_MS = patienceMs(5_000);

/** A master, its replicas, and a sentinel that promotes one of them, on this machine. */
export interface RedisFamily {
  /** For `REDIS_SENTINELS`. */
  readonly sentinels: string;
  /** Returns the current master that the sentinel names. */
  master(): Promise<RedisServer>;
  /** Subscribes to the sentinel. `switched` resolves when it reports the next completed failover. */
  listenForSwitch(): Promise<{ switched: Promise<void> }>;
  /** Resolves when every remaining replica has all writes of the master until now. */
  inStep(replicas?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves when the sentinel knows all of them. */
export async function startRedisFamily(): Promise<RedisFamily> {
  const first = await startRedisServer({ port: 0, args: ['--repl-diskless-sync-delay', '0'] });
  const follow = ['--replicaof', '127.0.0.1', portOf(first.url), '--repl-diskless-sync-delay', '0'];
  const servers = [
    first,
    ...(await Promise.all(Array.from({ length: REPLICAS }, () => startRedisServer({ port: 0, args: follow })))),
  ];
  await eventually(
    'the replicas',
    async () => (await ask(first.url, 'INFO', 'replication')).match(/state=online/g)?.length === REPLICAS,
  );
  const sentinel = await startSentinel(portOf(first.url));
  await eventually('the sentinel to know the replicas', async () =>
    (await ask(sentinel.url, 'INFO', 'sentinel')).includes(`slaves=${REPLICAS}`),
  );
  const master = async (): Promise<RedisServer> => {
    const port = (await ask(sentinel.url, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)).split(',')[1];
    const found = servers.find(({ url }) => portOf(url) === port);
    if (found === undefined) throw new Error(`nobody listens on ${port ?? 'no port'}`);
    return found;
  };
  return {
    sentinels: sentinel.url.slice('redis://'.length),
    master,
    listenForSwitch: () => listenForSwitch(sentinel.url),
    async inStep(replicas = REPLICAS) {
      const connection = new Redis((await master()).url);
      try {
        // WAIT counts the replicas that have the writes of its own connection, so this connection must write.
        await connection.set('in-step', '1');
        await eventually('the replicas to be in step', async () => (await connection.wait(replicas, 100)) >= replicas);
        await connection.del('in-step');
      } finally {
        connection.disconnect();
      }
    },
    async stop() {
      await sentinel.stop();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

async function startSentinel(masterPort: string): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'du-sentinel-'));
  const held = await holdPort();
  const { port } = held;
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} 1`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${MASTER_NAME} ${FAILOVER_TIMEOUT_MS}`,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const running: RunningRedis = await launchRedis([file, '--sentinel'], { host: '127.0.0.1', port });
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      await running.end();
      held.release();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function listenForSwitch(sentinelUrl: string): Promise<{ switched: Promise<void> }> {
  const connection = new Redis(sentinelUrl, { enableReadyCheck: false });
  await connection.subscribe('+switch-master');
  const switched = new Promise<void>((resolve) => connection.once('message', () => resolve())).finally(() =>
    connection.disconnect(),
  );
  return { switched };
}

async function ask(url: string, command: string, ...args: string[]): Promise<string> {
  const connection = new Redis(url, { enableReadyCheck: false });
  try {
    return String(await connection.call(command, ...args));
  } finally {
    connection.disconnect();
  }
}

function portOf(url: string): string {
  return new URL(url).port;
}
