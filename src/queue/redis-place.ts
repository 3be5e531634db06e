/** Where one server listens. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Who we are to Redis; undefined where it does not ask. */
export interface RedisCredentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** How a connection is encrypted; undefined parts are those of the machine. PEM, as text. */
export interface RedisTls {
  /** Who may sign the certificate of the server, in place of the public authorities. */
  readonly ca: string | undefined;
  /** Who we are, if the server asks for a certificate. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** A server by its URL, with TLS that the URL alone cannot describe. */
export interface UrlPlace {
  readonly url: string;
  readonly tls: RedisTls;
}

/** A master that sentinels know by its name, whoever it is at the moment. */
export interface SentinelPlace extends RedisCredentials {
  readonly sentinels: readonly HostAndPort[];
  readonly masterName: string;
  /** Of the sentinels themselves. */
  readonly sentinelPassword: string | undefined;
  /** For the sentinels and the servers; undefined: no TLS. */
  readonly tls?: RedisTls | undefined;
}

/** A Redis Cluster, and some nodes to begin with. */
export interface ClusterPlace extends RedisCredentials {
  readonly nodes: readonly HostAndPort[];
  /** Undefined: no TLS. */
  readonly tls?: RedisTls | undefined;
}

/** One server at a time: its URL, the path of its socket, or who knows it. */
export type ServerPlace = string | UrlPlace | SentinelPlace;

/** Where an installation's keys are. */
export type RedisPlace = ServerPlace | ClusterPlace;

/** Where Redis is looked for when no setting says. */
export const DEFAULT_REDIS: RedisPlace = 'redis://127.0.0.1:6379';

/** A name, an IPv4 address, or an IPv6 address in brackets, and a port or none. */
const HOST_FORM = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i;

/** Reads hosts separated by commas; undefined where one of them is none. */
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

/** True for a place where an installation's keys lie on one shard of several. */
export function isCluster(place: RedisPlace): place is ClusterPlace {
  return typeof place !== 'string' && 'nodes' in place;
}
