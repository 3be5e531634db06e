/** Sooner nothing can be said of a rate. */
const LEAST_MS = 3000;
const LEAST_PERCENT = 2;

/** Estimates when all of a growing number of things is done, from how fast they have gone so far. */
export class RemainingTime {
  #total = 0;
  #from: { atMs: number; percent: number } | null = null;

  /** `percent` of `total` things; null while nothing can be said. More things begin a new measurement. */
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
    return elapsedMs < LEAST_MS || gone < LEAST_PERCENT ? null : (elapsedMs * (100 - percent)) / gone;
  }
}
