import { isFinalState } from '../src/wire/documents.ts';
import type { UploadRecords } from '../src/record/record.ts';
import type { UploadQueue } from '../src/queue/upload-queue.ts';
import type { Logger } from '../src/telemetry/log.ts';
import { uploadRef } from '../src/telemetry/upload-ref.ts';

/** After a fault of the service the attempt is repeated after 1, 2, 4 … seconds. */
const FIRST_PAUSE_MS = 1_000;

/** What `Retries` works with. */
export interface RetryParts {
  records: Pick<UploadRecords, 'read'>;
  queue: Pick<UploadQueue, 'add'>;
  log: Logger;
}

/** Returns the pause in ms after the given number of faults of an upload. Jitter of half spreads the retries. */
export function retryPauseMs(faults: number): number {
  return FIRST_PAUSE_MS * 2 ** (faults - 1) * (0.5 + Math.random());
}

/**
 * Adds the jobs of requeued uploads again when their pauses are over. Timers do not depend on the clock of the machine.
 * If this process ends first, the janitor adds the jobs at the time in the record, by the clock of Redis.
 */
export class Retries {
  readonly #parts: RetryParts;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: RetryParts) {
    this.#parts = parts;
  }

  /**
   * Adds the job after the pause, unless another attempt has begun in the meantime.
   * @param attempt the attempt that has ended; undefined if none had begun.
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

  /** Stops all timers. The janitor adds the missing jobs. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
