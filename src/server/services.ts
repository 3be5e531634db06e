import type { RequestListener } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { startAccess, type Access } from '../access/access.ts';
import { Callers } from '../access/callers.ts';
import { withOneFinishListener } from '../compat/finish-watch.ts';
import type { ClientAddress } from '../http/client-address.ts';
import type { DeferredManager } from '../deferred/deferred-manager.ts';
import { withoutMountPath } from '../http/mount-path.ts';
import { serialChanges } from '../http/serial-changes.ts';
import type { IsTrustedProxy } from '../http/trusted-proxies.ts';
import type { UploadIntake } from '../intake/intake.ts';
import { areTakenBySome } from '../intake/options.ts';
import { createKinds, type Kinds } from '../kinds/kinds.ts';
import type { Operators } from '../operators/operators.ts';
import { loadPageAssets, withoutManagementLinks } from '../page/assets.ts';
import { Backlog } from '../queue/backlog.ts';
import { closeConnection } from '../queue/connection.ts';
import type { ServiceRouteParts } from '../routes/service-routes.ts';
import type { Config } from '../settings/config.ts';
import { readSpace } from '../storage/disk-space.ts';
import type { StorageCheck } from '../storage/storage-check.ts';
import type { Storage } from '../storage/storage.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { countWorkers, Heartbeat, type ProcessStatus } from '../telemetry/process-registry.ts';
import { openTracing } from '../telemetry/open-tracing.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { recentOf, type UploadTally } from '../telemetry/upload-tally.ts';
import { openApiDocument } from '../wire/openapi/document.ts';
import { withKinds } from '../wire/openapi/other-kinds.ts';
import { createApp } from './app.ts';
import { clientsBehindProxies } from './clients-behind-proxies.ts';
import { buildHeldParts, observeHeld, subscribeTo, type HeldParts } from './held-parts.ts';
import { endRequests, openHttpServer, urlOf } from './http-server.ts';
import { buildIntake } from './intake-parts.ts';
import { closeQueues, eventsFrom, openRedisParts, type RedisParts } from './redis-parts.ts';
import { openManagement } from './management.ts';
import { createMetrics } from './metrics-parts.ts';
import { Readiness } from './readiness.ts';
import { waitAtMost } from './shutdown.ts';
import { openStorageParts, type StorageParts } from './storage-parts.ts';
import { buildTenantParts } from './tenant-parts.ts';

/** The start waits at most this time for the event bus. */
const EVENTS_WITHIN_MS = 1000;

/** Closing takes at most this time, because Redis may be away. */
const CLOSE_LIMIT_MS = 750;

/** A running API process. */
interface Api {
  url: string;
  /** Undefined if `url` also serves the management addresses. */
  managementUrl: string | undefined;
  /**
   * Reports "not ready" and keeps serving for `SHUTDOWN_DELAY_MS`. Then it stops accepting, answers held responses,
   * waits up to `graceMs` for running uploads, and closes everything in order.
   */
  close(graceMs: number): Promise<void>;
}

/** The service without a server. */
interface Service {
  readonly handle: RequestListener;
  readonly manager: DeferredManager;
  readonly intake: UploadIntake;
  /** The routes of the management address. */
  readonly routes: ServiceRouteParts;
  /** Rejects while the service cannot work. */
  ready(): Promise<void>;
  /** Makes `ready` reject from now on. */
  leave(): void;
  /** Closes all parts in order. Call it when the requests have ended. */
  close(): Promise<void>;
}

/** The settings of an application that embeds the service. */
interface ServiceHost {
  /** Default: the kinds of the settings. */
  kinds?: Kinds;
  /** True if the process belongs to another application, which has metrics of its own for it. */
  isEmbedded?: boolean;
}

/** Builds one API process and starts its parts in order. */
export async function startApi(config: Config, log: Logger, kinds: Kinds = createKinds(config)): Promise<Api> {
  const service = await openService(config, log, { kinds });
  const management = await openManagement(config, service.routes, log);
  const server = await openHttpServer(serialChanges(service.handle), config);
  const close = async (graceMs: number): Promise<void> => {
    service.leave();
    await delay(config.shutdownDelayMs);
    await endRequests(server, service, graceMs);
    management?.close();
    await service.close();
  };
  return { url: urlOf(server), managementUrl: management?.url, close };
}

/** Builds the service and starts its parts in order. If one cannot start, the others are closed. */
export async function openService(config: Config, log: Logger, host: ServiceHost = {}): Promise<Service> {
  const { kinds = createKinds(config), isEmbedded = false } = host;
  const isPreset = (options: unknown): boolean => areTakenBySome(kinds, options);
  const access = await startAccess(config, { log, isPreset, isEmbedded });
  let redis: RedisParts | undefined;
  try {
    redis = await openRedisParts(config, access, kinds, log);
    const storage = await openStorageParts(config, redis, log);
    return await buildService(config, { access, redis, ...storage, log, ...host, kinds });
  } catch (error) {
    access.close();
    if (redis !== undefined) await closeRedis(redis);
    throw error;
  }
}

interface Foundation extends ServiceHost, StorageParts {
  access: Access;
  kinds: Kinds;
  redis: RedisParts;
  log: Logger;
}

async function buildService(config: Config, foundation: Foundation): Promise<Service> {
  const { access, redis, storage, check: storageCheck, log, kinds, isEmbedded = false } = foundation;
  const { records, store, keys } = redis;
  const readiness = new Readiness(() => assertServing(redis, held, storageCheck));
  const { isTrustedProxy, addressOf } = clientsBehindProxies(config, log);
  const held = buildHeldParts(config, { events: eventsFrom(config, keys, log), addressOf, log });
  const { registry, manager } = held;
  const backlog = new Backlog(store, keys);
  const metrics = createMetrics(config, { redis, held, backlog, receiving: () => intake.receiving, isEmbedded });
  const listen = subscribeTo.bind(undefined, registry, log);
  const services = buildIntake(config, { redis, storage, kinds, backlog, metrics, listen, isEmbedded, log });
  const { intake } = services;
  const tracing = await openTracing();
  observeHeld(manager, { metrics, tracing, nowMs: () => redis.clock.nowMs() });
  const heartbeat = new Heartbeat('api', { ...redis, log }, () => statusOf(metrics, redis.tally));
  const operators = await openOperatorsIfWanted(config, { access, redis, heartbeat, addressOf, isTrustedProxy, log });
  const service = await serviceParts(config, redis, { readiness, metrics, kinds });
  const app = createApp({
    records,
    registry,
    knownState: (id) => held.bus.knownState(id),
    storage,
    kinds,
    manager,
    metrics,
    tracing,
    log,
    addressOf,
    callers: new Callers(access, () => redis.clock.nowMs()),
    ...buildTenantParts(redis),
    ...services,
    defaultTimeoutMs: config.deferredTimeoutMs,
    maxTimeoutMs: config.deferredMaxTimeoutMs,
    maxRequestBytes: config.uploadMaxRequestBytes,
    isTrustedProxy,
    ...placeOf(config),
    operators,
    service,
  });
  await startEvents(held, log);
  heartbeat.start();
  return {
    handle: withoutMountPath(config.mountPath, withOneFinishListener(app.callback())),
    manager,
    intake,
    routes: service,
    ready: () => readiness.assert(),
    leave: () => readiness.leave(),
    close: () => closeInOrder({ access, held, heartbeat, redis, storage, tracing }),
  };
}

async function serviceParts(
  config: Config,
  { connection, keys }: RedisParts,
  { readiness, metrics, kinds }: { readiness: Readiness; metrics: Metrics; kinds: Kinds },
): Promise<ServiceRouteParts> {
  const hasManagementAddress = config.management !== undefined;
  const assets = await loadPageAssets();
  return {
    checkReady: () => readiness.assert(),
    countWorkers: () => countWorkers(connection, keys),
    metrics,
    openApi: () => withKinds(openApiDocument(undefined, config.mountPath), kinds),
    assets: hasManagementAddress ? await withoutManagementLinks(assets) : assets,
    hasManagementAddress,
  };
}

/** Returns the addresses of the service, and the origins of pages that may use it. */
function placeOf({ host, allowedHosts, corsOrigins, mountPath }: Config) {
  return { host, allowedHosts, corsOrigins, mountPath };
}

/** Starts the event bus, if possible before the first request. If it fails, `/readyz` reports the reason. */
async function startEvents({ bus }: HeldParts, log: Logger): Promise<void> {
  const started = bus.start().catch((error: unknown) => log.error({ err: error }, 'event bus not started'));
  await waitAtMost(started, EVENTS_WITHIN_MS);
}

/** Rejects while Redis, the storage or the event bus cannot be used. */
async function assertServing(
  { redisCheck, keys }: RedisParts,
  { bus }: HeldParts,
  storage: StorageCheck,
): Promise<void> {
  await redisCheck.assertReady(keys.events);
  bus.assertReceiving();
  await storage.assert();
}

/** The parts that must be closed. */
interface Open {
  access: Access;
  held: HeldParts;
  heartbeat: Heartbeat;
  redis: RedisParts;
  storage: Storage;
  tracing: Tracing | undefined;
}

async function closeInOrder({ access, held, heartbeat, redis, storage, tracing }: Open): Promise<void> {
  access.close();
  const flushed = tracing?.flush();
  await waitAtMost(Promise.all([heartbeat.close(), held.bus.close(), closeQueues(redis), flushed]), CLOSE_LIMIT_MS);
  redis.clock.close();
  await waitAtMost(Promise.all([closeConnection(redis.connection), storage.close?.()]), CLOSE_LIMIT_MS);
}

async function closeRedis(redis: RedisParts): Promise<void> {
  redis.clock.close();
  await waitAtMost(closeQueues(redis), CLOSE_LIMIT_MS);
  await waitAtMost(closeConnection(redis.connection), CLOSE_LIMIT_MS);
}

async function statusOf(metrics: Metrics, tally: UploadTally): Promise<ProcessStatus> {
  return {
    held: await metrics.heldByRoute(),
    running: 0,
    pausedBy: null,
    ...recentOf(tally),
    wake: metrics.recentWakes.latency(),
  };
}

interface OperatorSources {
  access: Access;
  redis: RedisParts;
  heartbeat: Heartbeat;
  addressOf: ClientAddress;
  isTrustedProxy: IsTrustedProxy;
  log: Logger;
}

/** Loads the operators' modules only if a token is set. */
async function openOperatorsIfWanted(
  config: Config,
  { redis, heartbeat, ...rest }: OperatorSources,
): Promise<Operators | undefined> {
  if (config.operatorsToken === undefined) return undefined;
  const { openOperators } = await import('../operators/operators.ts');
  const space = () => readSpace(config);
  const parts = { ...redis, heartbeat, queueCapacity: config.queueCapacity, readSpace: space, ...rest };
  const operators = await openOperators(parts, config.operatorsToken, config.retentionMs);
  if (config.management === undefined) return operators;
  return { ...operators, assets: await withoutManagementLinks(operators.assets) };
}
