import { readFileSync } from 'node:fs';

const KIB = 1024;

/** What a process has of the machine's memory, in bytes; NaN where the system does not tell of other processes in `/proc`. */
export function residentBytes(pid: number | undefined): number {
  return statusBytes(pid, 'VmRSS');
}

/** The most that it had since its program was started, which `resourceUsage` mixes with what its parent had; as `residentBytes` else. */
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
