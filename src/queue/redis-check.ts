import { ConfigError } from '../settings/config.ts';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { available } from './connection.ts';
import { isClusterConnection, type Redis } from './redis-client.ts';

/** The scripts and BullMQ need at least this version. */
const LEAST_VERSION = [6, 2] as const;

/** A cluster needs at least this version, because of its sharded channels. */
const LEAST_CLUSTER_VERSION = [7, 0] as const;

/** A start waits no longer than this for Redis. After that the process starts and reports that it is not ready. */
const FIRST_CONTACT_LIMIT_MS = 2_000;

/** Errors of a connection that need an operator. */
const REFUSED =
  /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR AUTH)|certificate|altnames|wrong version number|SSL|TLS/i;

/** The commands that API and workers need, in a form that changes nothing. `KEY` is a key of the installation. */
const NEEDED: readonly (readonly [command: string, ...args: string[]])[] = [
  ['INFO', 'server'],
  ['EXISTS', 'KEY'],
  ['XINFO', 'STREAM', 'KEY'],
  ['EVAL', "return redis.call('TIME')", '1', 'KEY'],
  ['PUBLISH', 'KEY', ''],
];

/** How long a start waits for Redis, and a key of the installation, which is used to test the rights. */
interface RedisCheckOptions {
  limitMs?: number;
  key?: string;
}

/**
 * Checks that Redis may be used for records: at the start and after each reconnect, because it may be a different
 * server then.
 */
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

  /** Rejects with a `ConfigError` of one line. If Redis is away for longer than `limitMs`, it is checked later. */
  static async start(
    connection: Redis,
    log: Logger,
    { limitMs = FIRST_CONTACT_LIMIT_MS, key = 'key' }: RedisCheckOptions = {},
  ): Promise<RedisCheck> {
    const check = new RedisCheck(connection, log, key);
    if (await firstContact(connection, limitMs)) await check.#check();
    if (check.#fault !== undefined) throw new ConfigError(check.#fault);
    connection.on('ready', () => void check.#recheck());
    return check;
  }

  /** Rejects with `service_unavailable` (503) while the server of `key` is away or must not be used. */
  async assertReady(key: string): Promise<void> {
    // A ping would be answered by any node of a cluster.
    await available(() => this.#connection.exists(key));
    // An operator may have fixed the fault.
    if (this.#fault !== undefined) await this.#check();
    if (this.#fault !== undefined)
      throw new ServiceError(
        'service_unavailable',
        'The service cannot use its queue because of a configuration error. The reason is in its log.',
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
      this.#log.warn({ err: error }, 'version and policy of Redis not read');
    }
  }

  async #recheck(): Promise<void> {
    await this.#check();
    if (this.#fault !== undefined) this.#log.error(this.#fault);
  }
}

/** Returns the fault of a server in one line, from its INFO reply; undefined if there is none. */
export function faultIn(info: string, isClustered: boolean): string | undefined {
  const valueOf = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const [major, minor] = isClustered ? LEAST_CLUSTER_VERSION : LEAST_VERSION;
  const version = valueOf('redis_version');
  if (version !== undefined && isOlder(version, major, minor))
    return `Redis ${version} is too old. Use ${major}.${minor} or newer.`;
  const policy = valueOf('maxmemory_policy');
  if (policy === undefined || policy === 'noeviction') return undefined;
  const harm = 'so it deletes records of uploads when its memory is full';
  return `Redis has the maxmemory-policy ${policy}, ${harm}. Set it to noeviction.`;
}

/** Returns the missing right of the user in one line; undefined if there is none. */
async function missingRight(connection: Redis, key: string): Promise<string | undefined> {
  for (const [command, ...args] of NEEDED) {
    try {
      await connection.call(command, ...args.map((arg) => (arg === 'KEY' ? key : arg)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (error.message.startsWith('NOPERM'))
        return `The Redis user lacks a right (${error.message}). Give it the rights listed in docs/operations.md.`;
      // The stream does not exist yet, or the server does not have the command.
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

/** Returns false if Redis is away or too slow. Rejects with a `ConfigError` if it rejects the connection. */
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
        end(() => reject(new ConfigError(`Redis rejects the connection: ${error.message}`)));
      else if (limitMs !== Infinity) end(() => resolve(false));
    };
    const timer = limitMs === Infinity ? undefined : setTimeout(() => end(() => resolve(false)), limitMs);
    connection.on('ready', onReady);
    connection.on('error', onError);
  });
}
