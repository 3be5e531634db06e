import { Cluster, Redis as SingleRedis, type RedisOptions } from 'ioredis';
import { isCluster, type ClusterPlace, type RedisPlace, type ServerPlace } from './redis-place.ts';
import { makeLasting } from '../compat/lasting-cluster.ts';
import { LastingSentinelConnector } from '../compat/sentinel-connector.ts';

export type { Cluster, Redis as SingleRedis } from 'ioredis';

/** A connection to one server, or to the cluster as a whole. */
export type Redis = SingleRedis | Cluster;

/** Long enough for a slow disk under Redis, short enough that a client hears of a dead one. */
const COMMAND_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** A connection on which nothing comes back for so long is dead, whatever the network says. */
const SILENCE_TIMEOUT_MS = 6_000;

/** For the other side to end a connection too that is given up, before it is cut. */
const DISCONNECT_TIMEOUT_MS = 200;

/** A shard that is away is asked for so often, every 100 ms, before a command fails. */
const CLUSTER_TRIES = 8;

/** From 50 ms up to 2 s, so that a Redis that comes back is found soon and is not stormed. */
function reconnectDelayMs(times: number): number {
  return Math.min(2_000, 50 * 2 ** Math.min(times, 6)) * (0.75 + Math.random() / 4);
}

/** How a connection takes it that Redis is away. */
export type Patience = 'fails-at-once' | 'waits';

const PATIENCE = {
  'fails-at-once': { maxRetriesPerRequest: 1, commandTimeout: COMMAND_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS },
  waits: { maxRetriesPerRequest: null },
} satisfies Record<Patience, RedisOptions>;

/** They connect at once and not lazily: a copy that BullMQ connects itself it gives up for ever when that fails. */
const CONNECTION_OPTIONS = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  // A master that has become a replica refuses to write; whoever is master now is found by connecting anew.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions;

/** Begins to connect to one server, the one that is master now where there are sentinels. */
export function connectToServer(
  place: ServerPlace,
  patience: Patience,
  more: Pick<RedisOptions, 'autoResubscribe'> = {},
): SingleRedis {
  const options = {
    ...CONNECTION_OPTIONS,
    ...PATIENCE[patience],
    ...more,
    retryStrategy: reconnectDelayMs,
    enableOfflineQueue: patience === 'waits',
  };
  if (typeof place === 'string') return new SingleRedis(place, options);
  if ('url' in place) return new SingleRedis(place.url, { ...options, tls: given(place.tls) });
  const { sentinels, masterName, sentinelPassword, tls, ...credentials } = place;
  return new SingleRedis({
    ...options,
    ...given({ ...credentials, sentinelPassword }),
    ...(tls === undefined ? {} : { tls: given(tls), sentinelTLS: given(tls), enableTLSForSentinelMode: true }),
    sentinels: sentinels.map((sentinel) => ({ ...sentinel })),
    name: masterName,
    sentinelRetryStrategy: reconnectDelayMs,
    // One that hangs is passed over for the next.
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    Connector: LastingSentinelConnector,
  });
}

/** Begins to connect to a server or a cluster. */
export function connectToRedis(place: RedisPlace, patience: Patience): Redis {
  return isCluster(place) ? connectToCluster(place, patience) : connectToServer(place, patience);
}

/** Begins to connect to a cluster as a whole. */
export function connectToCluster({ nodes, tls, ...credentials }: ClusterPlace, patience: Patience): Cluster {
  const waits = patience === 'waits';
  const cluster = new Cluster(
    nodes.map((node) => ({ ...node })),
    {
      clusterRetryStrategy: reconnectDelayMs,
      slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
      enableOfflineQueue: waits,
      maxRedirections: waits ? Infinity : CLUSTER_TRIES,
      // A certificate is for the name of a node, so the name is not replaced by its address.
      ...(tls === undefined ? {} : { dnsLookup: (address, found) => found(null, address) }),
      redisOptions: {
        ...CONNECTION_OPTIONS,
        ...PATIENCE[patience],
        ...given(credentials),
        ...(tls === undefined ? {} : { tls: given(tls) }),
      },
    },
  );
  return makeLasting(cluster);
}

/** True for a connection to a cluster as a whole. */
export function isClusterConnection(connection: Redis): connection is Cluster {
  return connection instanceof Cluster;
}

/** Opens another connection to the same place, with the same options. The caller closes it. */
export function copyOf(connection: Redis): Redis {
  return isClusterConnection(connection) ? connection.duplicate() : connection.duplicate();
}

/** Without what is undefined. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
