import { readFileSync } from 'node:fs';

/** True while a process with this id exists and this user may signal it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * True for a dead process that is still in the process table. The first process of a container may leave such
 * processes.
 */
export function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
