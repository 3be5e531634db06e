import { Redis } from 'ioredis';
import type { ClusterPlace } from '../../src/queue/redis-place.ts';
import { eventually } from './eventually.ts';
import { holdPort } from './hold-port.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';

const MASTERS = 3;
const SLOTS = 16_384;
const SHARE = Math.ceil(SLOTS / MASTERS);

/** Three masters on this machine, a third of the slots each. */
export interface RedisCluster {
  readonly place: ClusterPlace;
  /** For `REDIS_CLUSTER_NODES`. */
  readonly nodes: string;
  /** The master that has the key. */
  ownerOf(key: string): Promise<RedisServer>;
  stop(): Promise<void>;
}

/** Resolves when all masters know each other and accept commands. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const held = await Promise.all(Array.from({ length: MASTERS }, holdPort));
  const busPorts = held.map(({ port }) => port);
  const servers = await Promise.all(busPorts.map((port) => startRedisServer({ port: 0, args: argsFor(port) })));
  const connections = servers.map(({ url }) => new Redis(url));
  try {
    await join(connections, servers, busPorts);
  } finally {
    for (const connection of connections) connection.disconnect();
  }
  const addresses = servers.map(({ url }) => url.slice('redis://'.length));
  return {
    place: {
      nodes: servers.map(({ url }) => ({ host: '127.0.0.1', port: portOf(url) })),
      username: undefined,
      password: undefined,
    },
    nodes: addresses.join(','),
    async ownerOf(key) {
      const asked = new Redis(servers[0]?.url ?? '');
      const slot = Number(await asked.call('CLUSTER', 'KEYSLOT', key));
      asked.disconnect();
      const owner = servers[Math.floor(slot / SHARE)];
      if (owner === undefined) throw new Error(`nobody has slot ${slot}`);
      return owner;
    },
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      for (const bus of held) bus.release();
    },
  };
}

function argsFor(busPort: number): string[] {
  return [
    '--cluster-enabled',
    'yes',
    '--cluster-port',
    String(busPort),
    '--cluster-node-timeout',
    '1000',
    '--cluster-config-file',
    `nodes-${busPort}.conf`,
  ];
}

async function join(
  connections: readonly Redis[],
  servers: readonly RedisServer[],
  busPorts: readonly number[],
): Promise<void> {
  for (const [index, connection] of connections.entries()) {
    await connection.call('CLUSTER', 'ADDSLOTSRANGE', index * SHARE, Math.min((index + 1) * SHARE, SLOTS) - 1);
    await connection.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const [index, server] of servers.entries()) {
    if (index > 0) await connections[0]?.call('CLUSTER', 'MEET', '127.0.0.1', portOf(server.url), busPorts[index] ?? 0);
  }
  for (const connection of connections) {
    await eventually('the cluster to be complete', async () => {
      const info = String(await connection.call('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${MASTERS}`);
    });
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
