import type { RequestListener } from 'node:http';
import Koa, { type Context, type Middleware } from 'koa';
import { DeferredManager } from '../deferred/deferred-manager.ts';
import { deferredMiddleware } from '../deferred/middleware.ts';
import { ServiceError } from '../errors.ts';
import { clientAddresses } from '../http/client-address.ts';
import { requestedTimeoutMs } from '../http/deferral.ts';
import { queryParameter } from '../http/parameters.ts';
import { problemResponses } from '../http/problem.ts';
import { requestPath } from '../http/request-target.ts';
import { trustedProxies } from '../http/trusted-proxies.ts';
import { closeConnection, openCommandConnection } from '../queue/connection.ts';
import { DEFAULT_REDIS, type RedisPlace } from '../queue/redis-place.ts';
import { createLog } from '../telemetry/log.ts';
import { openJobEvents } from './job-events.ts';
import { waitForJob, type JobWaitParts } from './job-wait.ts';

/** Options of `createJobResults`. */
export interface JobResultsOptions {
  /** Names of the BullMQ queues whose jobs may be asked for. Other queues are a 404. */
  readonly queues: readonly string[];
  /** Default: `redis://127.0.0.1:6379`. */
  readonly redis?: RedisPlace;
  /** The `prefix` of the queues. Default: `bull`, as in BullMQ. */
  readonly prefix?: string;
  /** Default: `/jobs`. */
  readonly path?: string;
  /** How long a response is held if the client does not say, in ms. Default: 25000, less up to 5 % of jitter. */
  readonly timeoutMs?: number;
  /** Longest time that a client may ask for, in ms. Default: 50000. */
  readonly maxTimeoutMs?: number;
  /** Maximum number of held responses. Default: 20000. */
  readonly maxHeld?: number;
  /** Maximum number of held responses of one client address. Default: 0, no limit. */
  readonly maxHeldPerAddress?: number;
  /** Addresses or ranges of proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** True to send the reason of a failed job (`failedReason`) to the client. It may name internals. Default: false. */
  readonly showReasons?: boolean;
  /** Default: `warn`. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** Held responses for the jobs of an application. */
export interface JobResults {
  /** For Koa. Other paths are passed on. */
  readonly middleware: Middleware;
  /** For node:http, Express and Fastify. Other paths are a 404. */
  readonly handle: RequestListener;
  /** Number of responses that are held now. */
  readonly held: number;
  /** Resolves when jobs can be read and the events of all queues arrive. Earlier requests are answered with 503. */
  readonly opened: Promise<unknown>;
  /** Answers all held responses with their timeout values, and closes every connection. */
  close(): Promise<void>;
}

const MAX_VERSION_LENGTH = 100;

/**
 * Answers `GET /jobs/:queue/:id/result?timeout=<ms>` for jobs of BullMQ: held until the job is over, with a timeout
 * value if the time is up. With `since=<version>` it answers as soon as the job has another version. It keeps nothing
 * in Redis. Everyone who can send requests may ask for every job of the queues, so put your own check before it.
 */
export function createJobResults(options: JobResultsOptions): JobResults {
  const { queues, redis = DEFAULT_REDIS, prefix = 'bull', path = '/jobs', maxTimeoutMs = 50_000 } = options;
  const log = createLog('api', { logLevel: options.logLevel ?? 'warn' });
  const connection = openCommandConnection(redis, log);
  const connected = new Promise<void>((resolve) => connection.once('ready', () => resolve()));
  const events = openJobEvents({ redis, prefix, queues }, log);
  const addressOf = clientAddresses(trustedProxies(options.trustedProxies ?? []));
  const manager = new DeferredManager({
    defaultTimeoutMs: options.timeoutMs ?? 25_000,
    maxHeld: options.maxHeld ?? 20_000,
    maxHeldPerAddress: options.maxHeldPerAddress ?? 0,
    addressOf: (ctx) => addressOf(ctx.req),
    reportFault: (error, where) => log.error({ err: error, where }, 'deferred response failed'),
  });
  const parts: JobWaitParts = { connection, prefix, events, showsReasons: options.showReasons ?? false };
  const [problems, deferred] = [problemResponses(log), deferredMiddleware(manager)];
  const answer = (ctx: Context, { queue, id }: JobAddress) => {
    if (!queues.includes(queue)) throw new ServiceError('unknown_job', 'There is no such queue. Check its name.');
    return waitForJob(parts, { queue, id, since: seenVersion(ctx), timeoutMs: requestedTimeoutMs(ctx, maxTimeoutMs) });
  };
  const middleware: Middleware = (ctx, next) => {
    const asked = addressIn(requestPath(ctx), path);
    if (asked === undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    return problems(ctx, () => Promise.resolve(deferred(ctx, async () => await answer(ctx, asked))));
  };
  return {
    middleware,
    handle: new Koa().use(problems).use(middleware).callback(),
    get held() {
      return manager.held;
    },
    opened: Promise.all([connected, events.opened]),
    async close() {
      await manager.drain();
      await Promise.all([events.close(), closeConnection(connection)]);
    },
  };
}

interface JobAddress {
  queue: string;
  id: string;
}

/** Returns the job that a path names. Undefined for any other path. */
function addressIn(path: string, mountPath: string): JobAddress | undefined {
  if (!path.startsWith(`${mountPath}/`)) return undefined;
  const [queue, id, last, ...rest] = path.slice(mountPath.length + 1).split('/');
  if (queue === undefined || id === undefined || last !== 'result' || rest.length > 0) return undefined;
  try {
    return { queue: decodeURIComponent(queue), id: decodeURIComponent(id) };
  } catch {
    return undefined;
  }
}

function seenVersion(ctx: Context): string | undefined {
  const since = queryParameter(ctx, 'since');
  if (since === undefined || (typeof since === 'string' && since.length <= MAX_VERSION_LENGTH)) return since;
  throw new ServiceError('bad_since', 'A version must appear once, as it was in an earlier answer.');
}
