import { startAccess, type Access } from '../src/access/access.ts';
import type { Config } from '../src/settings/config.ts';
import type { Logger } from '../src/telemetry/log.ts';
import { Heartbeat, type ProcessStatus } from '../src/telemetry/process-registry.ts';
import { openTracing } from '../src/telemetry/open-tracing.ts';
import type { Tracing } from '../src/telemetry/tracing.ts';
import { recentOf, UploadTally } from '../src/telemetry/upload-tally.ts';
import { endpointsOf, sendsWebhooks } from '../src/delivery/webhook-endpoint.ts';
import { recordOptions } from '../src/record/record-change.ts';
import { UploadRecords } from '../src/record/record.ts';
import { closeConnection, openWaitingConnection, RedisRecordStore, type Redis } from '../src/queue/connection.ts';
import { OTHER_KIND, queueKeys, type QueueKeys } from '../src/queue/contract.ts';
import { InstallationId } from '../src/queue/installation-id.ts';
import { RedisCheck } from '../src/queue/redis-check.ts';
import { RedisClock } from '../src/queue/redis-clock.ts';
import { connectToRedis } from '../src/queue/redis-client.ts';
import { DEFAULT_REDIS } from '../src/queue/redis-place.ts';
import { UploadQueue } from '../src/queue/upload-queue.ts';
import { UploadSets } from '../src/queue/upload-sets.ts';
import { waitAtMost } from '../src/server/shutdown.ts';
import { Installation } from '../src/storage/installation.ts';
import { openStorage } from '../src/storage/open-storage.ts';
import type { Storage } from '../src/storage/storage.ts';
import { accessFileWarning } from './access-file-warning.ts';
import { isolatedRunner } from './isolation/run-isolated.ts';
import { measureWorker } from './measure-worker.ts';
import { openProcessors } from './open-processors.ts';
import type { ProcessorTable } from './processors.ts';
import { Sweeper } from './janitor/sweeper.ts';
import { buildRoadWork, type RoadWork } from './roads/road-work.ts';
import { startWebhooks, type WebhookSending } from './webhooks/webhook-sending.ts';
import { WORKER_TIMING, type WorkerTiming } from './worker-timing.ts';
import { UploadWorker } from './worker.ts';

/** Limit for closing a connection, because Redis may be gone. */
const CLOSE_LIMIT_MS = 750;

/** The processors of a worker process, and how it runs them. */
export interface WorkerKind {
  createProcessors: (config: Config) => ProcessorTable | Promise<ProcessorTable>;
  /** Module that runs the same processors in a separate process, see `isolatedRunner`. */
  isolatedEntry: URL;
  /** Default `WORKER_TIMING`. */
  timing?: WorkerTiming;
}

interface WorkerHost {
  /** Called once if a processor does not stop. Only the end of the process frees its thread. */
  onUnresponsive(): void;
  /** Called at the beginning of each attempt. */
  onBusy?(): void;
  /** True if the process belongs to another application. Default false. */
  isEmbedded?: boolean;
  /** The environment of isolated processes. Default: the part of this process's environment that they need. */
  isolatedEnvironment?: Readonly<Record<string, string>>;
  /** Options of Node for isolated processes. Default: those of this process. */
  nodeOptions?: readonly string[];
}

/** A worker that is built and takes no jobs yet. */
interface Worker {
  /** Starts to take jobs. */
  start(): Promise<void>;
  /** Takes no more jobs, waits up to `graceMs` for running ones, requeues the rest, and closes everything in order. */
  close(graceMs: number): Promise<void>;
  /** True if a thread of a processor will never end. */
  hasStuckThread(): boolean;
}

/**
 * Builds a worker. Waits for Redis without a limit. Rejects with `ConfigError` if Redis or the storage must not be
 * used, and leaves nothing open then.
 */
export async function openWorker(config: Config, log: Logger, kind: WorkerKind, host: WorkerHost): Promise<Worker> {
  const { isEmbedded = false } = host;
  const { processors, kinds } = await openProcessors(kind, config);
  const access = await startAccess(config, { log, isEmbedded });
  let redis: RedisParts | undefined;
  try {
    redis = await openRedisParts(config, { access, processors }, log);
    return await buildWorker(config, { access, redis, log, kind, host, processors, kinds });
  } catch (error) {
    access.close();
    if (redis !== undefined) await closeParts(redis);
    throw error;
  }
}

interface Foundation {
  access: Access;
  redis: RedisParts;
  log: Logger;
  kind: WorkerKind;
  host: WorkerHost;
  processors: ProcessorTable;
  /** The kinds that this worker takes. */
  kinds: readonly string[];
}

/** Builds the parts in the order of their dependencies. */
async function buildWorker(config: Config, foundation: Foundation): Promise<Worker> {
  const { access, redis, log, kind, host, processors, kinds } = foundation;
  const { connection, keys, queue } = redis;
  const endpoints = endpointsOf(config, access);
  const storage = await openStorage(config);
  const installation = await openInstallation(config, { redis, storage, log });
  const timing = kind.timing ?? WORKER_TIMING;
  const tracing = await openTracing();
  const measured = measureWorker(config, redis, log, () => worker);
  const shared = { connection, keys, queue, records: redis.records, storage, log, metrics: measured.metrics };
  const worker: UploadWorker = new UploadWorker({
    ...shared,
    tracing,
    processors,
    checkStorage: () => checkStorage(installation, storage),
    runIsolated: isolatedRunner(kind.isolatedEntry, { timeoutMs: config.attemptTimeoutMs, ...ofChildren(host) }),
    attemptTimeoutMs: config.attemptTimeoutMs,
    kinds,
    concurrency: config.workerConcurrency,
    timing,
    abortGraceMs: timing.abortGraceMs,
    abandonedCalls: () => processors.abandonedCalls(),
    onBegun: accessFileWarning(access, log),
    onUnresponsive: () => host.onUnresponsive(),
    onBusy: () => host.onBusy?.(),
  });
  const sets = new UploadSets(connection, keys);
  const roads = buildRoadWork(config, { ...shared, tracing }, processors);
  const { visitSilent } = roads;
  const { sweepPeriodMs: periodMs, uploadExpiryMs } = config;
  const sweeper = new Sweeper({ ...shared, sets, installation, periodMs, uploadExpiryMs, visitSilent });
  const nowMs = (): number => redis.clock.nowMs();
  const heartbeat = new Heartbeat('worker', { ...redis, log }, () => statusOf(worker, redis.tally));
  let webhooks: WebhookSending | undefined;
  return {
    async start() {
      await measured.serve();
      await listenForCancels(redis, worker, roads);
      await worker.start();
      roads.start();
      sweeper.start();
      heartbeat.start();
      webhooks = await startWebhooks(config, endpoints, { connection, keys, log, tracing, nowMs });
    },
    async close(graceMs) {
      // All parts close at the same time, so that none starts new work while it waits for another one to close.
      await Promise.all([
        sweeper.close(),
        worker.close(graceMs),
        // These two have a limit because they wait for Redis, which may be away.
        waitAtMost(webhooks?.close(graceMs) ?? Promise.resolve(), graceMs + CLOSE_LIMIT_MS),
        waitAtMost(roads.close(graceMs), graceMs + CLOSE_LIMIT_MS),
      ]);
      access.close();
      measured.close();
      await closeParts(redis, { heartbeat, storage, tracing });
    },
    hasStuckThread: () => processors.abandonedCalls() > 0,
  };
}

async function checkStorage(installation: Installation, storage: Storage): Promise<void> {
  await installation.verify();
  await storage.probe('full');
}

/** Returns the environment and the Node options of isolated processes. */
function ofChildren({ isolatedEnvironment: environment, nodeOptions }: WorkerHost) {
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(nodeOptions === undefined ? {} : { nodeOptions }),
  };
}

function statusOf(worker: UploadWorker, tally: UploadTally): ProcessStatus {
  return {
    held: {},
    running: worker.running,
    pausedBy: worker.isPaused ? 'storage' : null,
    ...recentOf(tally),
    wake: null,
  };
}

async function closeParts(
  { queue, cancels, clock, connection }: RedisParts,
  { heartbeat, storage, tracing }: { heartbeat?: Heartbeat; storage?: Storage; tracing?: Tracing | undefined } = {},
): Promise<void> {
  await waitAtMost(Promise.all([heartbeat?.close(), queue.close(), tracing?.flush()]), CLOSE_LIMIT_MS);
  cancels.disconnect();
  clock.close();
  await waitAtMost(Promise.all([closeConnection(connection), storage?.close?.()]), CLOSE_LIMIT_MS);
}

/** Rejects with `ConfigError` if storage and Redis do not belong together. */
async function openInstallation(
  { queuePrefix, storageAdopt: adopt }: Config,
  { redis, storage, log }: { redis: RedisParts; storage: Storage; log: Logger },
): Promise<Installation> {
  const kept = new InstallationId(redis.connection, redis.keys);
  const installation = new Installation({ storage, kept, queuePrefix, adopt, log });
  await installation.open();
  return installation;
}

interface RedisParts {
  readonly keys: QueueKeys;
  readonly connection: Redis;
  readonly clock: RedisClock;
  /** The connection on which the ids of cancelled uploads arrive. */
  readonly cancels: ReturnType<typeof connectToRedis>;
  readonly tally: UploadTally;
  readonly records: UploadRecords;
  readonly queue: UploadQueue;
}

/** Waits for Redis without a limit. Rejects with `ConfigError` if Redis has settings that must not be used. */
async function openRedisParts(
  config: Config,
  { access, processors }: Pick<Foundation, 'access' | 'processors'>,
  log: Logger,
): Promise<RedisParts> {
  const keys = queueKeys(config.queuePrefix);
  const place = config.redis ?? DEFAULT_REDIS;
  const connection = openWaitingConnection(place, log);
  await RedisCheck.start(connection, log, { limitMs: Infinity, key: keys.events }).catch((error: unknown) => {
    connection.disconnect();
    throw error;
  });
  const clock = new RedisClock(connection, keys.events, log);
  await clock.start();
  const cancels = connectToRedis(place, 'waits');
  cancels.on('error', (error: Error) => log.debug({ reason: error.message }, 'cancel connection error'));
  const tally = new UploadTally();
  const records = new UploadRecords(new RedisRecordStore(connection), keys, {
    ...recordOptions(config),
    sendsWebhooks: sendsWebhooks(config, access),
    nowMs: () => clock.nowMs(),
    onEntered: (state, from, failure) => tally.entered(state, from, failure),
    kindOf: (type) => processors.find(type)?.kind ?? OTHER_KIND,
  });
  return { keys, connection, clock, cancels, tally, records, queue: new UploadQueue(connection, keys, log) };
}

async function listenForCancels(
  { cancels, keys }: RedisParts,
  worker: UploadWorker,
  roads: Pick<RoadWork, 'cancel'>,
): Promise<void> {
  cancels.on('message', (_channel: string, id: string) => {
    worker.cancel(id);
    roads.cancel(id);
  });
  // Messages may have been missed before the connection was ready again.
  cancels.on('ready', () => worker.stopLostAttempts());
  await cancels.subscribe(keys.cancelChannel);
}
