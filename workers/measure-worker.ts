import type { Config } from '../src/settings/config.ts';
import { readSpace } from '../src/storage/disk-space.ts';
import type { Logger } from '../src/telemetry/log.ts';
import type { UploadTally } from '../src/telemetry/upload-tally.ts';
import { WorkerMetrics } from '../src/telemetry/worker-metrics.ts';
import { openMetricsServer, type MetricsServer } from './metrics-server.ts';

interface MeasuredParts {
  readonly tally: UploadTally;
  readonly connection: { readonly status: string };
}

/** The metrics of a worker and their server. */
interface MeasuredWorker {
  /** Undefined without `METRICS_PORT`. */
  readonly metrics: WorkerMetrics | undefined;
  /** Starts the server. Rejects with a `ConfigError` if it cannot listen. */
  serve(): Promise<void>;
  close(): void;
}

/** Creates the metrics of a worker. Without `METRICS_PORT` nothing is measured. */
export function measureWorker(
  config: Config,
  { tally, connection }: MeasuredParts,
  log: Logger,
  worker: () => { readonly running: number; readonly isPaused: boolean },
): MeasuredWorker {
  const { metricsHost: host, metricsPort: port } = config;
  if (port === undefined) return { metrics: undefined, serve: async () => undefined, close: () => undefined };
  let server: MetricsServer | undefined;
  const metrics = new WorkerMetrics({
    tally,
    redisUp: () => connection.status === 'ready',
    storageFreeBytes: async () => (await readSpace(config))?.freeBytes,
    running: () => worker().running,
    isPaused: () => worker().isPaused,
  });
  return {
    metrics,
    async serve() {
      server = await openMetricsServer({ host, port }, metrics, log);
    },
    close: () => server?.close(),
  };
}
