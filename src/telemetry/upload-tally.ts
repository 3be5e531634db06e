import type { MinuteCounts } from '../wire/documents.ts';
import { MinuteCounter } from './minute-counter.ts';

/** Counts the uploads that this process received, completed and failed in the last minute. */
export class UploadTally {
  readonly #received = new MinuteCounter();
  readonly #completed = new MinuteCounter();
  readonly #failed = new MinuteCounter();

  /** Call it after every change of state, from one of the states in `from`. */
  entered(state: string, from: readonly string[]): void {
    // A requeued or retried upload was already counted as received.
    if (state === 'queued' && from.includes('receiving')) this.#received.add();
    if (state === 'completed') this.#completed.add();
    if (state === 'failed') this.#failed.add();
  }

  get lastMinute(): MinuteCounts {
    return { received: this.#received.total, completed: this.#completed.total, failed: this.#failed.total };
  }
}
