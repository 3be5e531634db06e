import type { Redis } from '../src/queue/connection.ts';
import { isUnixSocket } from '../src/queue/redis-client.ts';

/** Times that decide how soon a fault of a worker is noticed. */
export interface WorkerTiming {
  /**
   * The death of a worker is noticed at the first check for stalled jobs after its lock has expired. A lock is renewed
   * when half of its time is left, so an event loop may block for that time without losing it.
   */
  lockMs: number;
  /** Period of the check for stalled jobs. It is one small script, which only one worker runs in each period. */
  stalledCheckMs: number;
  /** If the event loop blocks for longer, all locks are lost, and the process is killed. */
  loopLimitMs: number;
  /** Milliseconds that a processor has to stop after its time limit. Native code does not check the signal. */
  abortGraceMs: number;
}

/**
 * Longest time in seconds of a blocking read of a queue. A job ends it at once. If the connection dies silently,
 * BullMQ opens another one a second later.
 */
const NETWORK_BLOCK_SECONDS = 8;

/** A unix socket does not die silently, so a read may last longer. Then fewer reads wake an idle installation. */
const SOCKET_BLOCK_SECONDS = 60;

/** Returns the longest time in seconds of a blocking read of a queue. */
export function blockSeconds(connection: Redis): number {
  return isUnixSocket(connection) ? SOCKET_BLOCK_SECONDS : NETWORK_BLOCK_SECONDS;
}

/** BullMQ must never fail a job because workers died. Records and deliveries have counts of their own. */
export const NO_STALL_LIMIT = 1_000_000;

/** The next attempt begins 3 to 8 seconds after a death: the rest of the lock, and up to two checks. */
export const WORKER_TIMING: WorkerTiming = {
  lockMs: 6_000,
  stalledCheckMs: 1_000,
  loopLimitMs: 10_000,
  abortGraceMs: 5_000,
};
