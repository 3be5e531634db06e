import type { MinuteCounts } from '../wire/documents.ts';
import { MinuteCounter } from './minute-counter.ts';

/** How many uploads ended in one way since the start of the process. */
export interface OutcomeCount {
  readonly outcome: string;
  /** Empty unless the upload failed. */
  readonly code: string;
  readonly count: number;
}

const OUTCOMES: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'discarded']);

/** Counts the uploads that this process received and ended: in the last minute, and since its start. */
export class UploadTally {
  readonly #received = new MinuteCounter();
  readonly #completed = new MinuteCounter();
  readonly #failed = new MinuteCounter();
  readonly #ended = new Map<string, OutcomeCount>();

  /**
   * Call it after every change of state, from one of the states in `from`.
   * @param code the error code of a failed upload.
   */
  entered(state: string, from: readonly string[], code = ''): void {
    // A requeued or retried upload was already counted as received.
    if (state === 'queued' && from.includes('receiving')) this.#received.add();
    if (state === 'completed') this.#completed.add();
    if (state === 'failed') this.#failed.add();
    if (!OUTCOMES.has(state)) return;
    const key = `${state} ${code}`;
    this.#ended.set(key, { outcome: state, code, count: (this.#ended.get(key)?.count ?? 0) + 1 });
  }

  get lastMinute(): MinuteCounts {
    return { received: this.#received.total, completed: this.#completed.total, failed: this.#failed.total };
  }

  /** The uploads that this process has ended since its start. */
  outcomes(): OutcomeCount[] {
    return [...this.#ended.values()];
  }
}
