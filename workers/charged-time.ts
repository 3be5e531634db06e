import { readFileSync } from 'node:fs';

/** A run is charged at least a quarter of the time that passes, because a hung run uses no processor time. */
export const MOST_SLOWNESS = 4;

/** The unit of process times in Linux, on every architecture that Node supports. */
const TICKS_PER_SECOND = 100;

/** Positions of `utime` and `stime` in `/proc/<pid>/stat` after the name, which may contain spaces (proc(5)). */
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/**
 * Returns the time that counts against the limit of a file that runs in a process of its own. It is the processor time
 * of the process, so that a slow machine is not charged to the file. It is at most the time that has passed, although
 * several threads may have worked, and at least a quarter of it.
 */
export function chargedMs(passedMs: number, processorMs: number): number {
  return Math.min(passedMs, Math.max(processorMs, passedMs / MOST_SLOWNESS));
}

/** Measures the time that is charged to a file. */
export interface ChargeClock {
  /** Milliseconds since an arbitrary start. */
  nowMs(): number;
  /** At most this many milliseconds pass for one millisecond of this clock. */
  readonly slowness: number;
}

/** Charges all time that passes. Many files share the process, so its processor time says nothing about one file. */
export const PASSED_TIME: ChargeClock = { nowMs: () => performance.now(), slowness: 1 };

/** Charges the processor time of this process. Use it only in a process that runs a single file. */
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

/**
 * Calls `onOver` once, when `processId` has been charged `limitMs` from now on. Returns the function that ends this.
 */
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
