import { addCommonMetrics, type CommonReadings } from './common-metrics.ts';
import { MetricSet } from './metric-set.ts';

/** Buckets from a picture that is taken at once to a queue of an hour. */
const WAIT_SECONDS = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800, 3600];

/** Buckets from a small picture to a table that takes five minutes. */
const PROCESSING_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300];

/** Values that are read at each scrape. */
interface WorkerReadings extends CommonReadings {
  running: () => number;
  isPaused: () => boolean;
}

/** The metrics of one worker process in the Prometheus text format. */
export class WorkerMetrics {
  readonly #set = new MetricSet(true);
  readonly #waitSeconds = this.#set.histogram(
    'queue_wait_seconds',
    'Time for which an upload waited in the queue before this worker began it.',
    { buckets: WAIT_SECONDS, labelNames: ['kind'] },
  );
  readonly #processingSeconds = this.#set.histogram(
    'processing_seconds',
    'Time of one attempt to process an upload, by file kind and outcome: completed, failed, requeued or superseded.',
    { buckets: PROCESSING_SECONDS, labelNames: ['kind', 'outcome'] },
  );

  constructor(readings: WorkerReadings) {
    addCommonMetrics(this.#set, readings);
    this.#set.readGauge('running_jobs', 'Uploads that this worker processes now.', readings.running);
    this.#set.readGauge('paused', '1 while this worker takes no jobs because its storage cannot be used.', () =>
      readings.isPaused() ? 1 : 0,
    );
  }

  get contentType(): string {
    return this.#set.contentType;
  }

  async text(): Promise<string> {
    return await this.#set.text();
  }

  /** @param waitedMs undefined if the upload did not wait. */
  attemptBegun(kind: string, waitedMs: number | undefined): void {
    if (waitedMs !== undefined) this.#waitSeconds.observe({ kind }, waitedMs / 1000);
  }

  attemptEnded(kind: string, outcome: string, durationMs: number): void {
    this.#processingSeconds.observe({ kind, outcome }, durationMs / 1000);
  }
}
