import { readFileSync } from 'node:fs';

const KIB = 1024;

/** Returns the resident memory of a process in bytes, or NaN without `/proc`. */
export function residentBytes(pid: number | undefined): number {
  return statusBytes(pid, 'VmRSS');
}

/**
 * Returns the peak resident memory since the start of the program. `resourceUsage` would include that of the parent.
 */
export function peakBytes(pid: number | undefined): number {
  return statusBytes(pid, 'VmHWM');
}

function statusBytes(pid: number | undefined, name: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return KIB * Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]);
  } catch {
    return Number.NaN;
  }
}
