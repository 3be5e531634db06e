/** An estimate from a shorter time would be too inexact. */
const MIN_ELAPSED_MS = 3000;
const MIN_PERCENT = 2;

/** The state of all uploads together. */
interface Advance {
  /** Number of lines. A change starts a new measurement. */
  total: number;
  percent: number;
  /** Number of unfinished uploads. */
  busy: number;
  /** True if an upload runs and the server can be reached. */
  isAdvancing: boolean;
  /** The longest remaining time of a single upload; 0 if none is known. */
  slowestMs: number;
}

/** Estimates the remaining time of all uploads from their progress so far. */
export class TimeLeft {
  #total = 0;
  #from: { atMs: number; percent: number } | null = null;

  /** Returns null while it cannot be estimated. The estimate is never shorter than that of the slowest upload. */
  estimate({ total, percent, busy, isAdvancing, slowestMs }: Advance, nowMs: number): number | null {
    if (!isAdvancing) this.#from = null;
    if (isAdvancing && (this.#from === null || total !== this.#total)) this.#from = { atMs: nowMs, percent };
    this.#total = total;
    if (this.#from === null) return null;
    // Its line shows the same time.
    if (busy === 1 && slowestMs > 0) return slowestMs;
    const elapsedMs = nowMs - this.#from.atMs;
    const gone = percent - this.#from.percent;
    if (elapsedMs < MIN_ELAPSED_MS || gone < MIN_PERCENT) return null;
    return Math.max(slowestMs, (elapsedMs * (100 - percent)) / gone);
  }
}
