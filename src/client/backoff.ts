/** Growing pauses between retries. */
export interface Backoff {
  /** Returns the next pause, never shorter than `Retry-After`. */
  nextMs(retryAfterMs?: number | null): number;
  /** Call it after every success. The next pause is the first one again. */
  reset(): void;
}

/** The limits of the pauses. */
export interface BackoffOptions {
  firstMs: number;
  longestMs: number;
  /** Returns a number from 0 to 1. Default `Math.random`. */
  random?: () => number;
}

/**
 * Creates pauses that double from `firstMs` up to `longestMs`. Up to half of each pause is random, so clients do not
 * retry together.
 */
export function createBackoff({ firstMs, longestMs, random = Math.random }: BackoffOptions): Backoff {
  let failures = 0;
  return {
    nextMs(retryAfterMs = null) {
      const wholeMs = Math.min(longestMs, firstMs * 2 ** failures);
      failures += 1;
      const ownMs = wholeMs * (0.5 + random() / 2);
      // Jitter is added to `Retry-After`, because the server does not expect a retry before that time.
      return retryAfterMs === null ? ownMs : Math.max(ownMs, retryAfterMs + random() * firstMs);
    },
    reset() {
      failures = 0;
    },
  };
}
