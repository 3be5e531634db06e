const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
const STEADY_AFTER_MS = 30_000;

/** Computes the delay before the next start of a process that keeps dying. */
export class BackOff {
  readonly #random: () => number;
  #delayMs = FIRST_DELAY_MS;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * Returns a delay that doubles from 250 ms to 10 s, and starts again at 250 ms after a run of 30 s. Up to a quarter
   * is subtracted at random, so that processes that died together do not restart together.
   */
  nextDelayMs(livedMs: number): number {
    if (livedMs >= STEADY_AFTER_MS) this.#delayMs = FIRST_DELAY_MS;
    const delayMs = this.#delayMs * (1 - this.#random() / 4);
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS);
    return Math.round(delayMs);
  }
}
