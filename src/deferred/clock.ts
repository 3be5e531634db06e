/** Where time comes from, so that a test can bring its own. */
export interface Clock {
  /** Milliseconds, never going back; the origin means nothing. */
  now(): number;
  /** Runs `callback` once after about `delayMs` (at most 2^31 - 1); the returned function takes it back. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/** The monotonic clock and the timers of this process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};
