const SHORTEST_HOLD_MS = 2000;
const TRY_IN_FULL_AFTER_MS = 300_000;

/**
 * How long to have progress requests held. Where something on the way cuts them, it asks for
 * less and in the end for plain polls, and tries the whole time again every five minutes.
 */
export class PollTimeout {
  readonly #fullMs: number;
  #ms: number;
  #shortenedAtMs = 0;

  constructor(fullMs: number) {
    this.#fullMs = fullMs;
    this.#ms = fullMs;
  }

  /** 0 asks for an answer at once. */
  ms(nowMs: number): number {
    if (this.#ms < this.#fullMs && nowMs - this.#shortenedAtMs >= TRY_IN_FULL_AFTER_MS) this.#ms = this.#fullMs;
    return this.#ms;
  }

  /** To be called where a held answer did not get through and a plain one right after it did. */
  shorten(nowMs: number): void {
    const halfMs = Math.floor(this.#ms / 2);
    this.#ms = halfMs < Math.min(SHORTEST_HOLD_MS, this.#fullMs / 2) ? 0 : halfMs;
    this.#shortenedAtMs = nowMs;
  }
}
