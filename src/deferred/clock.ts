/** The source of time. Tests have their own. */
export interface Clock {
  /** Milliseconds that never go back, from any origin. */
  now(): number;
  /** Runs `callback` once after about `delayMs` (at most 2^31 - 1). Returns a function that cancels it. */
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
