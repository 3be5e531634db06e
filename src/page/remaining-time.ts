/** An estimate from less than this would be too inexact. */
const MIN_ELAPSED_MS = 3000;
const MIN_PERCENT = 2;

/** Estimates the remaining time of all uploads from their progress so far. */
export class RemainingTime {
  #total = 0;
  #from: { atMs: number; percent: number } | null = null;

  /** Returns null while it cannot be estimated. A changed `total` starts a new measurement. */
  estimate(
    { total, percent, isBusy }: { total: number; percent: number; isBusy: boolean },
    nowMs: number,
  ): number | null {
    if (!isBusy) this.#from = null;
    if (isBusy && (this.#from === null || total !== this.#total)) this.#from = { atMs: nowMs, percent };
    this.#total = total;
    if (this.#from === null) return null;
    const elapsedMs = nowMs - this.#from.atMs;
    const gone = percent - this.#from.percent;
    return elapsedMs < MIN_ELAPSED_MS || gone < MIN_PERCENT ? null : (elapsedMs * (100 - percent)) / gone;
  }
}
