import { isFinalState } from '../src/wire/documents.ts';
import type { UploadRecords } from '../src/record/record.ts';
import type { UploadQueue } from '../src/queue/upload-queue.ts';
import type { Logger } from '../src/telemetry/log.ts';
import { uploadRef } from '../src/telemetry/upload-ref.ts';

/** Faults of ours are tried again after 1, 2, 4 … seconds. */
const FIRST_PAUSE_MS = 1_000;

/** What adding jobs again needs. */
export interface RetryParts {
  records: Pick<UploadRecords, 'read'>;
  queue: Pick<UploadQueue, 'add'>;
  log: Logger;
}

/** Returns the pause in ms after an upload's fault of this number, 1 for the first. Half more or less spreads a fleet's retries. */
export function retryPauseMs(faults: number): number {
  return FIRST_PAUSE_MS * 2 ** (faults - 1) * (0.5 + Math.random());
}

/**
 * Adds the jobs of requeued uploads again when their pauses are over. The timers measure a length of time, so no clock
 * of a machine matters. If this process ends first, the janitor adds the jobs: the record says when, by the clock of Redis.
 */
export class Retries {
  readonly #parts: RetryParts;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: RetryParts) {
    this.#parts = parts;
  }

  /**
   * Adds the job after the pause, unless another attempt has begun by then.
   * @param attempt the attempt that has ended; undefined if none has begun.
   */
  later(id: string, attempt: number | undefined, pauseMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.now(id, attempt);
    }, pauseMs);
    this.#timers.add(timer);
  }

  /** Adds the job now if the upload is open. Never rejects. */
  async now(id: string, attempt?: number): Promise<void> {
    try {
      const record = (await this.#parts.records.read(id))?.record;
      if (record === undefined || record.state === 'receiving' || isFinalState(record.state)) return;
      if (attempt === undefined || attempt === record.attempt) await this.#parts.queue.add(id);
    } catch (error) {
      this.#parts.log.warn({ err: error, upload: uploadRef(id) }, 'job not added again, the janitor will add it');
    }
  }

  /** Stops all timers. The janitor adds the jobs that are missing then. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
