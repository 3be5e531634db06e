/** The times by which faults of workers are noticed. */
export interface WorkerTiming {
  /**
   * A worker that is gone is noticed when its lock has run out and the next look for stalled jobs comes by. Locks are
   * renewed when half of it is left, so an event loop may stand still for that long without losing any.
   */
  lockMs: number;
  /** One small script; BullMQ lets one worker of all do the work of it. */
  lookMs: number;
  /** An event loop that stands still for longer, and so has lost all its locks, never comes back: its process is ended. */
  loopLimitMs: number;
  /** Milliseconds that a processor has to stop after its time limit. Native code does not check the signal. */
  abortGraceMs: number;
}

/** The next attempt begins 3 to 8 seconds after a death: what is left of the lock, and up to two looks. */
export const WORKER_TIMING: WorkerTiming = { lockMs: 6_000, lookMs: 1_000, loopLimitMs: 10_000, abortGraceMs: 5_000 };
