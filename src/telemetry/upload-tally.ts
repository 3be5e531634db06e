import type { MinuteCounts } from '../wire/documents.ts';
import { MinuteCounter } from './minute-counter.ts';

/** Counts what this process has made of uploads; told by the records of every change of state. */
export class UploadTally {
  readonly #received = new MinuteCounter();
  readonly #completed = new MinuteCounter();
  readonly #failed = new MinuteCounter();

  /** An upload has gone over to `state`, from one of `from`. */
  entered(state: string, from: readonly string[]): void {
    // Handed back or taken up again, it was received long ago.
    if (state === 'queued' && from.includes('receiving')) this.#received.add();
    if (state === 'completed') this.#completed.add();
    if (state === 'failed') this.#failed.add();
  }

  get lastMinute(): MinuteCounts {
    return { received: this.#received.total, completed: this.#completed.total, failed: this.#failed.total };
  }
}
