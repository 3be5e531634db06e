import { ConfigError } from '../settings/config.ts';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { available } from './connection.ts';
import { isClusterConnection, type Redis } from './redis-client.ts';

/** What scripts and BullMQ use here is there from this version on. */
const LEAST_VERSION = [6, 2] as const;

/** In a cluster, sharded channels. */
const LEAST_CLUSTER_VERSION = [7, 0] as const;

/** A start does not wait for a Redis that is away: the process answers for itself until it comes. */
const FIRST_CONTACT_LIMIT_MS = 2_000;

/** Errors of a connection that do not pass by themselves. */
const REFUSED =
  /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR AUTH)|certificate|altnames|wrong version number|SSL|TLS/i;

/** Commands that API and worker processes need, tried in a way that changes nothing. `KEY` is a key of the installation. */
const NEEDED: readonly (readonly [command: string, ...args: string[]])[] = [
  ['INFO', 'server'],
  ['EXISTS', 'KEY'],
  ['XINFO', 'STREAM', 'KEY'],
  ['EVAL', "return redis.call('TIME')", '1', 'KEY'],
  ['PUBLISH', 'KEY', ''],
];

/** How long a start waits for Redis, and a key of the installation, by which its rights are tried. */
export interface RedisCheckOptions {
  limitMs?: number;
  key?: string;
}

/** Whether the Redis at hand may be trusted with records: at the start, and again whenever it comes back, for it may be another. */
export class RedisCheck {
  readonly #connection: Redis;
  readonly #log: Logger;
  readonly #key: string;
  #fault: string | undefined;

  private constructor(connection: Redis, log: Logger, key: string) {
    this.#connection = connection;
    this.#log = log;
    this.#key = key;
  }

  /** Rejects with a `ConfigError` of one line. A Redis that is away for longer than `limitMs` is looked at when it comes. */
  static async start(
    connection: Redis,
    log: Logger,
    { limitMs = FIRST_CONTACT_LIMIT_MS, key = 'key' }: RedisCheckOptions = {},
  ): Promise<RedisCheck> {
    const check = new RedisCheck(connection, log, key);
    if (await firstContact(connection, limitMs)) await check.#check();
    if (check.#fault !== undefined) throw new ConfigError(check.#fault);
    connection.on('ready', () => void check.#lookAgain());
    return check;
  }

  /** Rejects with `service_unavailable` (503) while the server that has `key` is away, or one is there that must not be used. */
  async assertReady(key: string): Promise<void> {
    // Not a ping, which any node of a cluster would answer.
    await available(() => this.#connection.exists(key));
    // It may have been mended.
    if (this.#fault !== undefined) await this.#check();
    if (this.#fault !== undefined)
      throw new ServiceError(
        'service_unavailable',
        'The service cannot use its queue as it is set up. Its operators find the reason in its log.',
      );
  }

  async #check(): Promise<void> {
    try {
      this.#fault = await missingRight(this.#connection, this.#key);
      if (this.#fault !== undefined) return;
      const infos = await informationOf(this.#connection);
      this.#fault = infos
        .map((info) => faultIn(info, isClusterConnection(this.#connection)))
        .find((fault) => fault !== undefined);
    } catch (error) {
      this.#log.warn({ err: error }, 'Redis does not tell its version and policy; make sure of them yourself');
    }
  }

  async #lookAgain(): Promise<void> {
    await this.#check();
    if (this.#fault !== undefined) this.#log.error(this.#fault);
  }
}

/** What is wrong with a server that says this of itself, in one line; undefined where it is fit. */
export function faultIn(info: string, isClustered: boolean): string | undefined {
  const valueOf = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const [major, minor] = isClustered ? LEAST_CLUSTER_VERSION : LEAST_VERSION;
  const version = valueOf('redis_version');
  if (version !== undefined && isOlder(version, major, minor))
    return `Redis ${version} is too old: ${major}.${minor} or newer is needed`;
  const policy = valueOf('maxmemory_policy');
  if (policy === undefined || policy === 'noeviction') return undefined;
  return `Redis has the maxmemory-policy ${policy}, by which it would throw records of uploads away when its memory is full: set it to noeviction`;
}

/** Which right the user of this connection lacks, in one line; undefined if none. */
async function missingRight(connection: Redis, key: string): Promise<string | undefined> {
  for (const [command, ...args] of NEEDED) {
    try {
      await connection.call(command, ...args.map((arg) => (arg === 'KEY' ? key : arg)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.message.startsWith('NOPERM'))
        return `Redis lets this service do too little (${error.message}): give its user the rights in docs/operations.md`;
      // A stream that is not there yet, or a command that the server does not have.
      if (error.name !== 'ReplyError') throw error;
    }
  }
  return undefined;
}

function isOlder(version: string, major: number, minor: number): boolean {
  const [itsMajor = 0, itsMinor = 0] = version.split('.').map(Number);
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

async function informationOf(connection: Redis): Promise<string[]> {
  const servers = isClusterConnection(connection) ? connection.nodes('master') : [connection];
  return await Promise.all(servers.map((server) => server.info()));
}

/** False where it is away or takes too long. Rejects with a `ConfigError` where it does not let us in. */
async function firstContact(connection: Redis, limitMs: number): Promise<boolean> {
  if (connection.status === 'ready') return true;
  return await new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      connection.off('ready', onReady);
      connection.off('error', onError);
      settle();
    };
    const onReady = (): void => end(() => resolve(true));
    const onError = (error: Error): void => {
      if (REFUSED.test(error.message))
        end(() => reject(new ConfigError(`Redis does not let this service in: ${error.message}`)));
      else if (limitMs !== Infinity) end(() => resolve(false));
    };
    const timer = limitMs === Infinity ? undefined : setTimeout(() => end(() => resolve(false)), limitMs);
    connection.on('ready', onReady);
    connection.on('error', onError);
  });
}
