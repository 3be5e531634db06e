import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const MIB_KIB = 1024;

/** Position of the process group in `/proc/<pid>/stat` after the name, which may contain spaces (proc(5)). */
const PROCESS_GROUP = 2;

/**
 * Returns the memory of all processes of a group in bytes. A page that several of them share counts once in all.
 * Returns 0 on systems without /proc.
 */
export function groupMemoryBytes(group: number): number {
  return processIds()
    .filter((pid) => groupOf(pid) === group)
    .reduce((sum, pid) => sum + memoryBytes(pid), 0);
}

/** A variable that identifies one run. Children inherit it. */
interface RunMark {
  readonly name: string;
  readonly value: string;
}

/** Makes the mark of a new run. */
export function newRunMark(): RunMark {
  return { name: 'DEFERRED_UPLOADS_RUN', value: randomUUID() };
}

/** Kills all processes with the mark in their environment, also if they have left their process group. */
export function killProcessesOf({ name, value }: RunMark): void {
  for (const pid of processesWith(`${name}=${value}`)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The process has ended meanwhile.
    }
  }
}

function processesWith(variable: string): number[] {
  return processIds().filter((pid) => pid !== process.pid && readProc(pid, 'environ')?.includes(variable) === true);
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function groupOf(pid: number): number | undefined {
  const stat = readProc(pid, 'stat');
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[PROCESS_GROUP]);
}

/**
 * Returns the proportional set size of a process in bytes. Kernels without it report the resident set size in the same
 * form.
 */
function memoryBytes(pid: number): number {
  const proportional = /^Pss:\s+(\d+) kB/m.exec(readProc(pid, 'smaps_rollup') ?? '')?.[1];
  const resident = /^VmRSS:\s+(\d+) kB/m;
  return Number(proportional ?? resident.exec(readProc(pid, 'status') ?? '')?.[1] ?? 0) * MIB_KIB;
}

/** Returns the text of a file in /proc. Undefined if the process has ended, or belongs to another user. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return undefined;
  }
}
