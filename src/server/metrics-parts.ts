import type { Backlog } from '../queue/backlog.ts';
import { readRedisMemory } from '../queue/redis-memory.ts';
import { UploadSets } from '../queue/upload-sets.ts';
import type { Config } from '../settings/config.ts';
import { readSpace } from '../storage/disk-space.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { countPausedWorkers, countWorkers } from '../telemetry/process-registry.ts';
import type { HeldParts } from './held-parts.ts';
import type { RedisParts } from './redis-parts.ts';

interface Measured {
  redis: RedisParts;
  held: Pick<HeldParts, 'registry' | 'bus'>;
  backlog: Backlog;
  receiving: () => number;
  isEmbedded: boolean;
}

/** Creates the metrics of an API process. */
export function createMetrics(config: Config, { redis, held, backlog, receiving, isEmbedded }: Measured): Metrics {
  const { store, queue, connection, keys } = redis;
  const sets = new UploadSets(connection, keys);
  const ifReady = <Value>(read: () => Promise<Value>) => {
    return async (): Promise<Value | undefined> => (store.isReady ? await read() : undefined);
  };
  return new Metrics({
    ofProcess: !isEmbedded,
    tally: redis.tally,
    waiters: () => held.registry.size,
    receiving,
    eventsReceived: () => held.bus.received,
    jobCounts: ifReady(() => queue.counts()),
    backlog: ifReady(() => backlog.read()),
    waitingByKind: ifReady(() => backlog.byKind()),
    oldestWaitingMs: ifReady(async () => {
      const { oldestAtMs } = await sets.waitingSince();
      return oldestAtMs === null ? 0 : Math.max(0, redis.clock.nowMs() - oldestAtMs);
    }),
    workersAlive: ifReady(() => countWorkers(connection, keys)),
    workersPaused: ifReady(() => countPausedWorkers(connection, keys)),
    deliveries: ifReady(() => redis.deliveries.figures(redis.clock.nowMs())),
    redisMemory: ifReady(() => readRedisMemory(connection)),
    redisUp: () => store.isReady,
    storageFreeBytes: async () => (await readSpace(config))?.freeBytes,
    queueCapacity: config.queueCapacity,
  });
}
