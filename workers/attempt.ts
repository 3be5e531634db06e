import type { Logger } from '../src/telemetry/log.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import type { UploadRecords } from '../src/record/record.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { Tracing } from '../src/telemetry/tracing.ts';
import type { WorkerMetrics } from '../src/telemetry/worker-metrics.ts';
import type { HeldPermit } from './permit-loop.ts';
import type { ProcessorTable, RunProcessor } from './processors.ts';

/** The parts that running an upload needs. */
export interface RunnerParts {
  records: UploadRecords;
  storage: Storage;
  processors: Pick<ProcessorTable, 'find'>;
  /** Runs the processor of the upload's type in a process of its own. */
  runIsolated: RunProcessor;
  /** Rejects if the storage cannot be read and written now, or is not the one of this Redis. */
  checkStorage: () => Promise<void>;
  /**
   * Call it after a fault of the storage or of Redis. Returns the pause in ms before this upload is tried again.
   * Returns undefined if the storage cannot be used at all; this process then takes no jobs until it can.
   */
  noticeDependencyFault: () => Promise<number | undefined>;
  attemptTimeoutMs: number;
  /** Milliseconds that a processor has to stop after its time limit. Native code does not check the signal. */
  abortGraceMs: number;
  /** Undefined if nobody reads the metrics of this worker. */
  metrics?: Pick<WorkerMetrics, 'attemptBegun' | 'attemptEnded'> | undefined;
  /** Called for each upload that this worker begins to process. */
  onBegun?: (record: UploadRecord) => void;
  /** Creates tracing spans. Default: none are created. */
  tracing?: Tracing | undefined;
  log: Logger;
}

/** A permit that this worker uses now. */
export interface PermitUse {
  readonly permit: HeldPermit;
  /** Aborted with one of the reasons of `stop-reasons`. */
  readonly controller: AbortController;
  /** Call it when the attempt has been counted in the record of the upload, before any work. */
  begun(record: UploadRecord): Promise<void>;
  /** Fires when this process stops and the upload has to be requeued. */
  readonly stopping: AbortSignal;
  /** Called when a processor ignores the signal. */
  readonly onUnresponsive: () => void;
}

/**
 * How the use of a permit ended.
 * - `done`: its upload is final, or another process is responsible for it.
 * - `superseded`: another attempt or request has the upload, or seems to have it.
 * - `requeued`: the upload waits again and may be taken at once.
 * - `unused`: no upload waits.
 * - a pause: a permit is needed again when the pause is over.
 */
export type RunOutcome = 'done' | 'superseded' | 'requeued' | 'unused' | RetryPause;

/** The pause before an upload is tried again. */
export interface RetryPause {
  readonly retryInMs: number;
}
