import { Cluster, Redis as SingleRedis, type RedisOptions } from 'ioredis';
import { isCluster, type ClusterPlace, type RedisPlace, type ServerPlace } from './redis-place.ts';
import { awaitReady } from '../compat/cluster-connect.ts';
import { RetryingSentinelConnector } from '../compat/sentinel-connector.ts';

export type { Cluster, Redis as SingleRedis } from 'ioredis';

/** A connection to one server, or to a whole cluster. */
export type Redis = SingleRedis | Cluster;

/** Time limit of a command: long enough for Redis on a slow disk, short enough to notice a dead Redis. */
const COMMAND_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** A connection that receives nothing for this time counts as dead. */
const SILENCE_TIMEOUT_MS = 6_000;

/** Time for the other side to end a connection before it is cut. */
const DISCONNECT_TIMEOUT_MS = 200;

/** Tries to reach a shard that is away, one every 100 ms, before a command fails. */
const CLUSTER_TRIES = 8;

/** Returns 50 ms to 2 s, so that a Redis that is back is found soon and not flooded. */
function reconnectDelayMs(times: number): number {
  return Math.min(2_000, 50 * 2 ** Math.min(times, 6)) * (0.75 + Math.random() / 4);
}

/** The behaviour of commands while Redis is away. */
type Patience = 'fails-at-once' | 'waits';

const PATIENCE = {
  'fails-at-once': { maxRetriesPerRequest: 1, commandTimeout: COMMAND_TIMEOUT_MS, socketTimeout: SILENCE_TIMEOUT_MS },
  waits: { maxRetriesPerRequest: null },
} satisfies Record<Patience, RedisOptions>;

/** Connections are never lazy: if BullMQ itself connects a copy and that fails, it never tries again. */
const CONNECTION_OPTIONS = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  // A master that became a replica rejects writes. A new connection finds the new master.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions;

/** Starts to connect to one server. With sentinels it is the current master. */
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
    // If a sentinel hangs, the next one is asked.
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    Connector: RetryingSentinelConnector,
  });
}

/** Starts to connect to a server or a cluster. */
export function connectToRedis(place: RedisPlace, patience: Patience): Redis {
  return isCluster(place) ? connectToCluster(place, patience) : connectToServer(place, patience);
}

/** Starts to connect to a whole cluster. */
export function connectToCluster({ nodes, tls, ...credentials }: ClusterPlace, patience: Patience): Cluster {
  const waits = patience === 'waits';
  const cluster = new Cluster(
    nodes.map((node) => ({ ...node })),
    {
      clusterRetryStrategy: reconnectDelayMs,
      slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
      enableOfflineQueue: waits,
      maxRedirections: waits ? Infinity : CLUSTER_TRIES,
      // A certificate names the node's host, so the host name is not replaced by its address.
      ...(tls === undefined ? {} : { dnsLookup: (address, found) => found(null, address) }),
      redisOptions: {
        ...CONNECTION_OPTIONS,
        ...PATIENCE[patience],
        ...given(credentials),
        ...(tls === undefined ? {} : { tls: given(tls) }),
      },
    },
  );
  return awaitReady(cluster);
}

/** True for a connection to a whole cluster. */
export function isClusterConnection(connection: Redis): connection is Cluster {
  return connection instanceof Cluster;
}

/** True for a connection to a server of this machine over a unix socket. */
export function isUnixSocket(connection: Redis): boolean {
  return !isClusterConnection(connection) && connection.options.path !== undefined;
}

/** Opens another connection to the same server with the same options. The caller closes it. */
export function copyOf(connection: Redis): Redis {
  return isClusterConnection(connection) ? connection.duplicate() : connection.duplicate();
}

/** Returns the options that are not undefined. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
