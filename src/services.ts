import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { DeferredManager } from './deferred/deferred-manager.ts';
import { Registry } from './deferred/registry.ts';
import { answerClientErrors } from './http/client-errors.ts';
import { clientAddresses, type ClientAddress } from './http/client-address.ts';
import { answerExpectations } from './http/expect-continue.ts';
import { stopAccepting } from './http/stop-accepting.ts';
import { heldInAccessLog, heldMetrics } from './http/held-interceptors.ts';
import { currentRequest } from './http/request-context.ts';
import { createKinds, type Kinds } from './kinds/kinds.ts';
import type { Logger } from './log.ts';
import { Metrics } from './metrics.ts';
import type { Operators, OperatorsParts } from './operators/operators.ts';
import { openApiDocument } from './openapi/document.ts';
import { Presence, type ProcessNews } from './presence/presence.ts';
import { UploadTally } from './presence/upload-tally.ts';
import { ProgressBus, type OpenEvents } from './progress/bus.ts';
import type { ProgressState } from './progress/progress.ts';
import { recordOptions } from './progress/record-options.ts';
import { UploadRecords } from './progress/record.ts';
import { Backlog } from './queue/backlog.ts';
import {
  closeConnection,
  openClusterConnection,
  openCommandConnection,
  openSubscribingConnection,
  openWaitingConnection,
  RedisRecordStore,
  type Redis,
} from './queue/connection.ts';
import { queueKeys, type QueueKeys } from './queue/contract.ts';
import { openEventChannels } from './queue/event-channels.ts';
import { openEventStream } from './queue/event-stream.ts';
import { RedisCheck } from './queue/redis-check.ts';
import { DEFAULT_REDIS, isCluster } from './queue/redis-place.ts';
import { openShardSubscriber } from './queue/shard-subscriber.ts';
import { openSubscriber, type Subscriber, type SubscriberListener } from './queue/subscriber.ts';
import { UploadQueue } from './queue/upload-queue.ts';
import { Readiness } from './readiness.ts';
import { settleWithin } from './shutdown.ts';
import { openStorage } from './storage/open-storage.ts';
import type { Storage } from './storage/storage.ts';
import { TusEndpoint } from './tus/tus-endpoint.ts';
import { Admission } from './upload/admission.ts';
import type { IntakeParts } from './upload/incoming-upload.ts';
import { UploadIntake, type IntakeSettings } from './upload/intake.ts';
import { UploadRemoval } from './upload/removal.ts';
import { loadPageAssets } from './web/assets.ts';

/** For connections to a Redis that may be gone. */
const CLOSE_LIMIT_MS = 1000;

/** Twice the pause that the browser client makes between two polls; whoever has not asked again by then is not about to. */
const IDLE_LIMIT_MS = 500;

/** Proxies keep idle connections for up to a minute; closing ours first would break their next request. */
const KEEP_ALIVE_MS = 75_000;

/** A running API process. */
export interface Api {
  url: string;
  /**
   * Is not ready any more but serves on for `SHUTDOWN_DELAY_MS`; then stops accepting, answers what is held, lets bodies under
   * way end within `graceMs`, and closes everything in order.
   */
  close(graceMs: number): Promise<void>;
}

/** Builds and wires one API process, and starts it in the order in which its parts need each other. */
export async function startApi(config: Config, log: Logger, kinds: Kinds = createKinds(config)): Promise<Api> {
  const keys = queueKeys(config.queuePrefix);
  const place = config.redis ?? DEFAULT_REDIS;
  const connection = openCommandConnection(place, log);
  const redisCheck = await RedisCheck.start(connection, log);
  const readiness = new Readiness(() => redisCheck.assertReady(keys.events));
  const store = new RedisRecordStore(connection);
  const tally = new UploadTally();
  const records = new UploadRecords(store, keys, {
    ...recordOptions(config),
    onEntered: (state, from) => tally.entered(state, from),
  });
  const queue = new UploadQueue(connection, keys, log);
  const storage = await openStorage(config);
  const registry: Registry<ProgressState> = new Registry<ProgressState>({
    onFault: (error) => log.error({ err: error }, 'waiter failed'),
    listen: (ids) => bus.listen(ids),
  });
  const bus = new ProgressBus(registry, eventsFrom(config, keys, log), log);
  const addressOf = clientAddresses(config.trustedProxies);
  const manager = createManager(config, log, addressOf);
  const backlog = new Backlog(store, keys);
  const metrics = new Metrics({
    held: () => manager.held,
    waiters: () => registry.size,
    receiving: () => intake.receiving,
    eventsHeard: () => bus.heard,
    jobCounts: async () => (store.isReady ? await queue.counts() : undefined),
    backlog: async () => (store.isReady ? await backlog.look() : undefined),
    queueCapacity: config.queueCapacity,
  });
  const admission = createAdmission(config, backlog, addressOf, metrics);
  const intakeParts: IntakeParts = {
    records,
    storage,
    kinds,
    queue,
    admission,
    log,
    hashes: config.uploadHash === 'api',
    listen: (id, heard) => listenTo(registry, id, heard),
  };
  const intake = new UploadIntake(intakeParts, intakeSettings(config, addressOf));
  const removal = new UploadRemoval({ records, storage, queue, log });
  manager.register('metrics', heldMetrics(metrics));
  manager.register('access-log', heldInAccessLog());
  const presence = new Presence('api', { connection, keys, log }, () => newsOf(metrics, tally));
  const operators = await openOperatorsIfWanted(config, {
    connection,
    store,
    keys,
    records,
    queue,
    presence,
    queueCapacity: config.queueCapacity,
    addressOf,
    log,
  });
  const app = createApp({
    records,
    registry,
    storage,
    kinds,
    intake,
    manager,
    metrics,
    log,
    removal,
    tus: new TusEndpoint({
      ...intakeParts,
      intake,
      removal,
      store,
      keys,
      maxFileBytes: config.maxFileBytes,
      expiryMs: config.uploadExpiryMs,
    }),
    defaultTimeoutMs: config.deferredTimeoutMs,
    maxTimeoutMs: config.deferredMaxTimeoutMs,
    maxRequestBytes: config.maxRequestBytes,
    corsOrigins: config.corsOrigins,
    operators,
    service: {
      checkReady: () => readiness.assert(),
      metrics,
      openApi: openApiDocument(),
      assets: await loadPageAssets(),
    },
  });
  bus.start().catch((error: unknown) => log.error({ err: error }, 'no events'));
  const server = await serve(app.callback(), config);
  presence.start();

  const open = { server, manager, intake, presence, bus, queue, operators, connection, storage };
  const close = async (graceMs: number): Promise<void> => {
    readiness.leave();
    await delay(config.shutdownDelayMs);
    await closeInOrder(open, graceMs);
  };
  return { url: urlOf(server), close };
}

/** What an API process has open. */
interface Open {
  server: Server;
  manager: DeferredManager;
  intake: UploadIntake;
  presence: Presence;
  bus: ProgressBus;
  queue: UploadQueue;
  operators: { close(): Promise<void> } | undefined;
  connection: Redis;
  storage: Storage;
}

async function closeInOrder(
  { server, manager, intake, presence, bus, queue, operators, connection, storage }: Open,
  graceMs: number,
): Promise<void> {
  await endRequests(server, { manager, intake }, graceMs);
  await presence.close();
  await settleWithin(bus.close(), CLOSE_LIMIT_MS);
  await settleWithin(Promise.all([queue.close(), operators?.close()]), CLOSE_LIMIT_MS);
  await closeConnection(connection);
  await storage.close?.();
}

function listenTo(
  registry: Registry<ProgressState>,
  id: string,
  heard: (event: ProgressState | undefined) => void,
): () => void {
  const release = registry.register([id], heard);
  // What happens until it is listened to is not told.
  void registry.listening([id])?.then(() => heard(undefined));
  return release;
}

/** Either way of hearing of changes has a connection of its own. */
function eventsFrom(config: Config, keys: QueueKeys, log: Logger): OpenEvents {
  const place = config.redis ?? DEFAULT_REDIS;
  if (config.eventBus === 'stream')
    return (listener) => openEventStream(openWaitingConnection(place, log), keys, listener, log);
  const subscribe = (heard: SubscriberListener): Subscriber =>
    isCluster(place)
      ? openShardSubscriber(openClusterConnection(place, log), keys.changeChannel(''), heard)
      : openSubscriber(openSubscribingConnection(place, log), heard);
  return (listener) => openEventChannels(subscribe, keys, listener, log);
}

function createAdmission(config: Config, backlog: Backlog, addressOf: ClientAddress, metrics: Metrics): Admission {
  return new Admission({
    bounds: {
      capacity: config.queueCapacity,
      overflow: config.queueOverflow,
      capacityPerAddress: config.queueCapacityPerAddress,
    },
    backlog,
    addressOf() {
      const request = currentRequest();
      return request === undefined ? undefined : addressOf(request);
    },
    onRefused: (code) => metrics.queueRefused(code),
    onDiscarded: () => metrics.queueDiscarded(),
  });
}

async function newsOf(metrics: Metrics, tally: UploadTally): Promise<ProcessNews> {
  return {
    held: await metrics.heldByRoute(),
    running: 0,
    lastMinute: tally.lastMinute,
    wake: metrics.recentWakes.latency(),
  };
}

/** Nothing of it is even loaded where there is no token. */
async function openOperatorsIfWanted(config: Config, parts: OperatorsParts): Promise<Operators | undefined> {
  if (config.operatorsToken === undefined) return undefined;
  const { openOperators } = await import('./operators/operators.ts');
  return await openOperators(parts, config.operatorsToken, recordOptions(config));
}

/** Stops accepting, answers what is held, and lets what is under way end, and every connection with an answer. */
async function endRequests(
  server: Server,
  { manager, intake }: { manager: DeferredManager; intake: UploadIntake },
  graceMs: number,
): Promise<void> {
  const closed = stopAccepting(server);
  const settled = settleWithin(closed, IDLE_LIMIT_MS);
  await manager.drain();
  await intake.drain(graceMs);
  await settled;
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}

function createManager(config: Config, log: Logger, addressOf: ClientAddress): DeferredManager {
  return new DeferredManager({
    defaultTimeoutMs: config.deferredTimeoutMs,
    maxHeld: config.deferredMaxHeld,
    maxHeldPerAddress: config.deferredMaxHeldPerAddress,
    addressOf: (ctx) => addressOf(ctx.req),
    reportFault: (error, where) => log.error({ err: error, where }, 'deferred response failed'),
  });
}

function intakeSettings(config: Config, addressOf: ClientAddress): IntakeSettings {
  return {
    maxFileBytes: config.maxFileBytes,
    maxRequestBytes: config.maxRequestBytes,
    maxFiles: config.maxFiles,
    maxFields: config.maxFields,
    maxFieldBytes: config.maxFieldBytes,
    stallTimeoutMs: config.uploadStallTimeoutMs,
    maxOpen: config.maxOpenUploads,
    maxOpenPerAddress: config.maxOpenUploadsPerAddress,
    addressOf,
  };
}

/** Rejects with `EADDRINUSE` and its like. */
async function serve(handle: RequestListener, config: Config): Promise<Server> {
  // A request without a host is refused in our words.
  const server = createServer({ maxHeaderSize: config.maxHeaderBytes, requireHostHeader: false }, handle);
  answerExpectations(server, handle);
  answerClientErrors(server);
  // Slow phones upload for longer than any fixed time; the stall timer watches bodies instead.
  server.requestTimeout = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // Their bytes are bounded. Past a number of them Node would leave out the rest without a word.
  server.maxHeadersCount = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  return server;
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return `http://${hostOf(address)}:${address.port}`;
}

/** What a person can type: an address that stands for all is answered at this machine's own. */
function hostOf({ address, family }: AddressInfo): string {
  if (address === '::' || address === '0.0.0.0') return 'localhost';
  return family === 'IPv6' ? `[${address}]` : address;
}
