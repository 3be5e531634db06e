const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
const STEADY_AFTER_MS = 30_000;

/** How long to wait before the next start of something that keeps dying. */
export class BackOff {
  readonly #random: () => number;
  #delayMs = FIRST_DELAY_MS;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * Doubles from 250 ms to 10 s, and begins anew once a life has lasted 30 s. Up to a quarter
   * is taken off at random, so that siblings which died together do not come back together.
   */
  nextDelayMs(livedMs: number): number {
    if (livedMs >= STEADY_AFTER_MS) this.#delayMs = FIRST_DELAY_MS;
    const delayMs = this.#delayMs * (1 - this.#random() / 4);
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_DELAY_MS);
    return Math.round(delayMs);
  }
}
