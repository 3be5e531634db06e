import type { Readings } from '../../src/telemetry/metrics.ts';

/** Readings of a process, for a test that does not look at their values. */
export const METRIC_READINGS: Readings = {
  waiters: () => 4,
  receiving: () => 1,
  eventsReceived: () => 9,
  jobCounts: async () => ({ waiting: 5, active: 2, delayed: 0 }),
  backlog: async () => ({ waiting: 6, drainedPerMinute: 90 }),
  waitingByKind: async () => new Map([['table', 4]]),
  workersAlive: async () => 2,
  workersPaused: async () => 1,
  deliveries: async () => ({ tries: { delivered: 8, retried: 1 }, pending: 2, oldestPendingMs: 1500 }),
  oldestWaitingMs: async () => 2500,
  redisMemory: async () => ({ usedBytes: 7000, maxBytes: null }),
  redisUp: () => true,
  storageFreeBytes: async () => 123,
  tally: { outcomes: () => [{ outcome: 'failed', code: 'file_too_large', count: 2 }] },
  queueCapacity: 50,
};
