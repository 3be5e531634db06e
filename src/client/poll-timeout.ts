const MIN_TIMEOUT_MS = 2000;
const RESTORE_AFTER_MS = 300_000;

/**
 * The time for which the server is asked to hold a progress request. If a proxy cuts held requests, the time gets
 * shorter and at last 0. After 5 minutes the full time is tried again.
 */
export class PollTimeout {
  readonly #fullMs: number;
  #ms: number;
  #shortenedAtMs = 0;

  constructor(fullMs: number) {
    this.#fullMs = fullMs;
    this.#ms = fullMs;
  }

  /** Returns the current time; 0 asks for an immediate answer. */
  ms(nowMs: number): number {
    if (this.#ms < this.#fullMs && nowMs - this.#shortenedAtMs >= RESTORE_AFTER_MS) this.#ms = this.#fullMs;
    return this.#ms;
  }

  /** Halves the time. Call it if a held request failed and an immediate one succeeded right after it. */
  shorten(nowMs: number): void {
    const halfMs = Math.floor(this.#ms / 2);
    this.#ms = halfMs < Math.min(MIN_TIMEOUT_MS, this.#fullMs / 2) ? 0 : halfMs;
    this.#shortenedAtMs = nowMs;
  }
}
