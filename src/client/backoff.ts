/** Growing pauses after failures in a row. */
export interface Backoff {
  /** The next pause, never shorter than what `Retry-After` asked for. */
  nextMs(retryAfterMs?: number | null): number;
  /** To be called after every success: the next failure starts anew. */
  reset(): void;
}

/** Bounds of the pauses. */
export interface BackoffOptions {
  firstMs: number;
  longestMs: number;
  /** 0 to 1, as `Math.random`. */
  random?: () => number;
}

/** Doubles from `firstMs` up to `longestMs`, each with up to a half of jitter, so that many clients do not return together. */
export function createBackoff({ firstMs, longestMs, random = Math.random }: BackoffOptions): Backoff {
  let failures = 0;
  return {
    nextMs(retryAfterMs = null) {
      const wholeMs = Math.min(longestMs, firstMs * 2 ** failures);
      failures += 1;
      const ownMs = wholeMs * (0.5 + random() / 2);
      // Jitter comes on top of what the server asked for: earlier would be rude.
      return retryAfterMs === null ? ownMs : Math.max(ownMs, retryAfterMs + random() * firstMs);
    },
    reset() {
      failures = 0;
    },
  };
}
