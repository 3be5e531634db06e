import { readFileSync } from 'node:fs';

/** A run is charged at least one in so many milliseconds that pass, since a hung one takes no processor time at all. */
export const MOST_SLOWNESS = 4;

/** Linux counts the times of processes in these, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Where `utime` and `stime` are in `/proc/<pid>/stat`, counted from behind the name, which may hold spaces (proc(5)). */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/**
 * Returns the time that is held against a file that runs in a process of its own: the processor time of the process, so
 * that a slow machine is not charged to the file. It is never more than the time that has passed, although several
 * threads may have worked, and never less than a quarter of it.
 */
export function chargedMs(passedMs: number, processorMs: number): number {
  return Math.min(passedMs, Math.max(processorMs, passedMs / MOST_SLOWNESS));
}

/** Measures time that is charged. */
export interface ChargeClock {
  /** Milliseconds from a start of its own. */
  nowMs(): number;
  /** The most milliseconds that may pass for one of this clock. */
  readonly slowness: number;
}

/** Charges all time that passes: many files share the process, so nobody can say which of them has used the processor. */
export const PASSED_TIME: ChargeClock = { nowMs: () => performance.now(), slowness: 1 };

/** Charges the processor time of this process; for one that runs a single file. */
export function ownChargeClock(): ChargeClock {
  const startMs = performance.now();
  const before = process.cpuUsage();
  return {
    nowMs() {
      const { user, system } = process.cpuUsage(before);
      return chargedMs(performance.now() - startMs, (user + system) / 1000);
    },
    slowness: MOST_SLOWNESS,
  };
}

/** Returns the processor time of another process in milliseconds; undefined if it is gone, or if this is not Linux. */
export function processorMsOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) * 1000) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** Calls `onOver` once, when `processId` has been charged `limitMs` from now on. Returns the release. */
export function watchCharge(processId: number, limitMs: number, onOver: () => void): () => void {
  const startMs = performance.now();
  const beforeMs = processorMsOf(processId) ?? 0;
  const timer = setInterval(
    () => {
      const passedMs = performance.now() - startMs;
      const processorMs = processorMsOf(processId);
      const charged = processorMs === undefined ? passedMs : chargedMs(passedMs, processorMs - beforeMs);
      if (charged < limitMs) return;
      clearInterval(timer);
      onOver();
    },
    Math.min(1000, Math.ceil(limitMs / 20)),
  );
  timer.unref();
  return () => clearInterval(timer);
}
