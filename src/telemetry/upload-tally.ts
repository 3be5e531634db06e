import type { FailureCount, MinuteCounts, RecentHour } from '../wire/documents.ts';
import { RecentCounter } from './recent-counter.ts';
import { uploadRef } from './upload-ref.ts';

/** How many uploads ended in one way since the start of the process. */
interface OutcomeCount {
  readonly outcome: string;
  /** Empty unless the upload failed. */
  readonly code: string;
  readonly count: number;
}

/** Why an upload failed. */
interface TalliedFailure {
  readonly id: string;
  readonly code: string;
  readonly detail: string;
}

const OUTCOMES: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'discarded']);

const MINUTE_MS = 60_000;

/** Newest examples of each error code. */
const SHOWN_EXAMPLES = 3;

/** Counts the uploads that this process received and ended: in the last minute and hour, and since its start. */
export class UploadTally {
  readonly #lately = { received: new Recent(), completed: new Recent(), failed: new Recent() };
  readonly #ended = new Map<string, OutcomeCount>();
  readonly #failures = new Map<string, { lastHour: RecentCounter; examples: FailureCount['examples'] }>();

  /** Call it after every change of state, from one of the states in `from`. */
  entered(state: string, from: readonly string[], failure?: TalliedFailure): void {
    // A requeued or retried upload was already counted as received.
    if (state === 'queued' && from.includes('receiving')) this.#lately.received.add();
    if (state === 'completed') this.#lately.completed.add();
    if (state === 'failed') this.#lately.failed.add();
    if (failure !== undefined) this.#addFailure(failure);
    if (!OUTCOMES.has(state)) return;
    const code = failure?.code ?? '';
    const key = `${state} ${code}`;
    this.#ended.set(key, { outcome: state, code, count: (this.#ended.get(key)?.count ?? 0) + 1 });
  }

  get lastMinute(): MinuteCounts {
    const { received, completed, failed } = this.#lately;
    return { received: received.minute.total, completed: completed.minute.total, failed: failed.minute.total };
  }

  /** Counts of the last 60 minutes, the oldest minute first. */
  get lastHour(): RecentHour {
    const { received, completed, failed } = this.#lately;
    return { received: received.hour.series, completed: completed.hour.series, failed: failed.hour.series };
  }

  /** Failures of the last hour by code, with the newest examples. */
  get failures(): FailureCount[] {
    return [...this.#failures]
      .map(([code, { lastHour, examples }]) => ({ code, count: lastHour.total, examples }))
      .filter(({ count }) => count > 0);
  }

  /** Returns the uploads that this process has ended since its start. */
  outcomes(): OutcomeCount[] {
    return [...this.#ended.values()];
  }

  #addFailure({ id, code, detail }: TalliedFailure): void {
    const known = this.#failures.get(code) ?? { lastHour: new RecentCounter(MINUTE_MS), examples: [] };
    known.lastHour.add();
    const example = { ref: uploadRef(id), detail, at: new Date().toISOString() };
    this.#failures.set(code, { ...known, examples: [example, ...known.examples].slice(0, SHOWN_EXAMPLES) });
  }
}

/** Returns the part of a process report that comes from a tally. */
export function recentOf({ lastMinute, lastHour, failures }: UploadTally): {
  lastMinute: MinuteCounts;
  lastHour: RecentHour;
  failures: FailureCount[];
} {
  return { lastMinute, lastHour, failures };
}

class Recent {
  readonly minute = new RecentCounter();
  readonly hour = new RecentCounter(MINUTE_MS);

  add(): void {
    this.minute.add();
    this.hour.add();
  }
}
