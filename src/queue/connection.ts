import { createHash } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import {
  connectToCluster,
  connectToRedis,
  connectToServer,
  isClusterConnection,
  type Cluster,
  type Redis,
  type SingleRedis,
} from './redis-client.ts';
import type { ClusterPlace, RedisPlace, ServerPlace } from './redis-place.ts';

export type { Redis } from './redis-client.ts';

const RETRY_AFTER_MS = 2_000;

/**
 * Opens a connection for commands. While Redis is away they fail at once instead of queueing. It connects and
 * reconnects on its own; the caller closes it.
 */
export function openCommandConnection(place: RedisPlace, log: Logger): Redis {
  return watched(connectToRedis(place, 'fails-at-once'), log);
}

/** Like `openCommandConnection`, for callers that need the nodes of a cluster. */
export function openClusterConnection(place: ClusterPlace, log: Logger): Cluster {
  return watched(connectToCluster(place, 'fails-at-once'), log);
}

/** Opens a connection for subscriptions. After a reconnect it has no subscriptions. */
export function openSubscribingConnection(place: ServerPlace, log: Logger): SingleRedis {
  return watched(connectToServer(place, 'fails-at-once', { autoResubscribe: false }), log);
}

/** Opens a connection for BullMQ's blocking reads and for workers. Its commands wait until Redis is back. */
export function openWaitingConnection(place: RedisPlace, log: Logger): Redis {
  return watched(connectToRedis(place, 'waits'), log);
}

/** Logs one line when Redis goes away and one when it is back; tries in between are not logged. */
function watched<R extends Redis>(connection: R, log: Logger): R {
  let away = false;
  connection.on('error', (error: Error) => {
    if (away) return;
    away = true;
    log.warn({ reason: error.message }, 'Redis is away');
  });
  connection.on('ready', () => {
    if (away) log.info('Redis is back');
    away = false;
  });
  if (!isClusterConnection(connection)) logProtectedMode(connection, log);
  return connection;
}

/** Logs once that Redis accepts only local clients. ioredis hides this reply and reports only a closed connection. */
function logProtectedMode(connection: SingleRedis, log: Logger): void {
  let isLogged = false;
  connection.on('connect', () => {
    connection.stream.once('data', (reply: Buffer) => {
      if (isLogged || !reply.toString('latin1').startsWith('-DENIED')) return;
      isLogged = true;
      log.error('Redis is in protected mode, set a password');
    });
  });
}

/** Closes a connection, even if Redis does not answer. */
export async function closeConnection(connection: Redis): Promise<void> {
  if (connection.status !== 'ready') return connection.disconnect();
  await connection.quit().catch(() => connection.disconnect());
}

/** Redis answers within milliseconds. Without an answer for this time it probably hangs. */
const OVERDUE_MS = 500;

/** The commands for records, over one connection. They reject with `service_unavailable` (503) while Redis is away. */
export class RedisRecordStore {
  readonly #connection: Redis;
  readonly #digests = new Map<string, string>();
  /** The commands without an answer, the oldest first. */
  readonly #running = new Set<{ readonly sinceMs: number }>();

  constructor(connection: Redis) {
    this.#connection = connection;
  }

  /** True if commands can be sent now. */
  get isReady(): boolean {
    return this.#connection.status === 'ready';
  }

  /** True if commands can be sent now and no answer is overdue. While Redis hangs, answers are overdue. */
  get isAnswering(): boolean {
    const [oldest] = this.#running;
    return this.isReady && (oldest === undefined || performance.now() - oldest.sinceMs < OVERDUE_MS);
  }

  async runScript(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const digest = this.#digestOf(script);
    return await this.#run(async () => {
      try {
        return await this.#connection.call('EVALSHA', [digest, String(keys.length), ...keys, ...args]);
      } catch (error) {
        if (!isMissingScript(error)) throw error;
        return await this.#connection.call('EVAL', [script, String(keys.length), ...keys, ...args]);
      }
    });
  }

  async readHash(key: string): Promise<Record<string, string>> {
    return await this.#run(() => this.#connection.hgetall(key));
  }

  async readFieldsOf(keys: readonly string[], names: readonly string[]): Promise<(string | null)[][]> {
    const [key, ...others] = keys;
    if (key === undefined) return [];
    if (others.length === 0) return [await this.#run(() => this.#connection.hmget(key, ...names))];
    const replies = await this.#pipelined(keys.map((each) => ['hmget', each, ...names]));
    return replies.map((reply) => (Array.isArray(reply) ? reply.map(stringOrNull) : []));
  }

  async get(key: string): Promise<string | null> {
    return await this.#run(() => this.#connection.get(key));
  }

  /** Makes one round trip to Redis. Rejects like every command while Redis is away. */
  async ping(): Promise<void> {
    await this.#run(() => this.#connection.ping());
  }

  /** Returns the replies in order. Rejects with the first error among them. */
  async #pipelined(commands: string[][]): Promise<unknown[]> {
    return await this.#run(async () => {
      const replies = (await this.#connection.pipeline(commands).exec()) ?? [];
      const failed = replies.find(([error]) => error !== null);
      if (failed?.[0]) throw failed[0];
      return replies.map(([, reply]) => reply);
    });
  }

  async #run<T>(command: () => Promise<T>): Promise<T> {
    const running = { sinceMs: performance.now() };
    this.#running.add(running);
    try {
      return await available(command);
    } finally {
      this.#running.delete(running);
    }
  }

  #digestOf(script: string): string {
    const known = this.#digests.get(script);
    if (known !== undefined) return known;
    const digest = createHash('sha1').update(script).digest('hex');
    this.#digests.set(script, digest);
    return digest;
  }
}

/**
 * Runs commands and turns the errors of a Redis that is away into `service_unavailable` (503). Any other error is a
 * fault of the service and is thrown as it is.
 */
export async function available<T>(command: () => Promise<T>): Promise<T> {
  try {
    return await command();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new ServiceError(
      'service_unavailable',
      'The service cannot reach its queue at the moment. Try again shortly.',
      { retryAfterMs: RETRY_AFTER_MS, cause: error },
    );
  }
}

function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isMissingScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** Replies of a Redis that runs but cannot serve now. They count like errors of the connection. */
const UNAVAILABLE_REPLIES = [
  'LOADING',
  'OOM',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'BUSY',
];

/** How the messages of ioredis begin for a command that it did not send, because the connection is away. */
const NOT_SENT = ["Stream isn't writeable", "Cluster isn't ready"];

/** True if the command of a rejected `available` was certainly not executed. False if that is unknown. */
export function wasNotExecuted(error: unknown): boolean {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!(cause instanceof Error)) return false;
  return cause.name === 'ReplyError' || NOT_SENT.some((beginning) => cause.message.startsWith(beginning));
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name !== 'ReplyError') return error.name !== 'TypeError' && !(error instanceof ServiceError);
  return UNAVAILABLE_REPLIES.some((word) => error.message.startsWith(word));
}
