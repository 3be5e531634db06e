/** The address of a server. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The user and password for Redis; undefined if it needs none. */
interface RedisCredentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Encryption of a connection, as PEM text. An undefined member means the default of this machine. */
export interface RedisTls {
  /** Authorities that may sign the server's certificate, instead of the public ones. */
  readonly ca: string | undefined;
  /** The client certificate, if the server asks for one. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** A server by its URL, with TLS settings that a URL cannot hold. */
interface UrlPlace {
  readonly url: string;
  readonly tls: RedisTls;
}

/** The current master of a name that sentinels watch. */
interface SentinelPlace extends RedisCredentials {
  readonly sentinels: readonly HostAndPort[];
  readonly masterName: string;
  /** The password of the sentinels. */
  readonly sentinelPassword: string | undefined;
  /** For sentinels and servers. If undefined, connections are not encrypted. */
  readonly tls?: RedisTls | undefined;
}

/** A Redis Cluster, and some of its nodes to start with. */
export interface ClusterPlace extends RedisCredentials {
  readonly nodes: readonly HostAndPort[];
  /** If undefined, connections are not encrypted. */
  readonly tls?: RedisTls | undefined;
}

/** A single server: its URL, the path of its socket, or its sentinels. */
export type ServerPlace = string | UrlPlace | SentinelPlace;

/** The server or cluster that has the keys of an installation. */
export type RedisPlace = ServerPlace | ClusterPlace;

/** The default if no setting names a Redis. */
export const DEFAULT_REDIS: RedisPlace = 'redis://127.0.0.1:6379';

/** A name, an IPv4 address or an IPv6 address in brackets, with an optional port. */
const HOST_FORM = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i;

/** Parses a comma-separated list of hosts. Returns undefined if one of them is malformed. */
export function parseHosts(text: string, defaultPort: number): HostAndPort[] | undefined {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const hosts = parts
    .map((part) => HOST_FORM.exec(part))
    .map((found) => ({ host: found?.[1] ?? found?.[2] ?? '', port: Number(found?.[3] ?? defaultPort) }));
  return hosts.every(({ host, port }) => host !== '' && port >= 1 && port <= 65_535) ? hosts : undefined;
}

/** True if the keys of the installation are on one shard of several. */
export function isCluster(place: RedisPlace): place is ClusterPlace {
  return typeof place !== 'string' && 'nodes' in place;
}
