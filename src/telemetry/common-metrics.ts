import type { MetricSet } from './metric-set.ts';
import type { UploadTally } from './upload-tally.ts';

/** Values that API processes and workers read at each scrape. */
export interface CommonReadings {
  /** True while this process has a connection to Redis. */
  redisUp: () => boolean;
  /** Free space of the storage in bytes. Undefined for a bucket. */
  storageFreeBytes: () => Promise<number | undefined>;
  tally: Pick<UploadTally, 'outcomes'>;
}

/** Registers the metrics that API processes and workers have both. */
export function addCommonMetrics(metrics: MetricSet, readings: CommonReadings): void {
  metrics.readGauge('redis_up', '1 while this process has a connection to Redis, 0 otherwise.', () =>
    readings.redisUp() ? 1 : 0,
  );
  metrics.readGauge(
    'storage_free_bytes',
    'Free space of the storage. Missing for a bucket.',
    readings.storageFreeBytes,
  );
  metrics.readCounters(
    'uploads_total',
    'Uploads that this process has ended, by outcome and, for failed ones, by error code.',
    ['outcome', 'code'],
    () => readings.tally.outcomes().map(({ outcome, code, count }) => [[outcome, code], count] as const),
  );
}
