import type { Logger } from '../src/telemetry/log.ts';
import type { UploadRecords } from '../src/record/record.ts';
import type { Storage } from '../src/storage/storage.ts';
import type { ProcessorTable, RunProcessor } from './processors.ts';

/** What running an upload needs. */
export interface RunnerParts {
  records: UploadRecords;
  storage: Storage;
  processors: Pick<ProcessorTable, 'find'>;
  /** Runs whichever processor the upload's type asks for, in a process of its own. */
  runIsolated: RunProcessor;
  /** Rejects if the storage cannot be read and written now, or is not the one of this Redis. */
  checkStorage: () => Promise<void>;
  attemptTimeoutMs: number;
  /** A processor that has taken too long has so long to stop; between two checks of its signal it may be in native code. */
  abortGraceMs: number;
  log: Logger;
}

/** What a worker holds of a job in hand. */
export interface Hold {
  readonly id: string;
  /** Aborted with one of the reasons of `stop-reasons`. */
  readonly controller: AbortController;
  /** Undefined until the record has minted it. */
  attempt: number | undefined;
  /** Fires when work in hand is to be handed back. */
  readonly stopping: AbortSignal;
  /** Told of a processor that did not stop when it was told to. */
  readonly onUnresponsive: () => void;
}

/**
 * How a job ended. `done`: its upload is final, or was none of ours to change; `superseded`: somebody else has
 * the upload by now, and may want a job of the same name; `requeued`: it waits again, because this
 * process stops or the attempt took too long; `storage-away`: the same, because the storage or Redis cannot be used,
 * which is not charged to the upload; `retry`: a fault of ours, to be tried again.
 */
export type RunOutcome = 'done' | 'superseded' | 'requeued' | 'storage-away' | 'retry';
