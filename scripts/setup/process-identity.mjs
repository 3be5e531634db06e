import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Returns a word that is unique to a process: pid and start time, because pids are reused. Undefined if no such process
 * lives; a zombie does not live. Contains no white space.
 *
 * @param {number} pid
 * @returns {string | undefined}
 */
export function processIdentity(pid) {
  if (!isAlive(pid)) return undefined;
  return process.platform === 'linux' ? identityFromProc(pid) : identityFromPs(pid);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The process belongs to another user.
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {number} pid */
function identityFromProc(pid) {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command's name in brackets may contain anything. The fixed fields begin after the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  // Ticks since boot repeat after the next boot.
  const boot = readText('/proc/sys/kernel/random/boot_id')?.trim() ?? 'boot';
  return `${pid}:${boot}:${fields[19]}`;
}

/** @param {number} pid */
function identityFromPs(pid) {
  const { stdout, status } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  if (status !== 0 || stdout.trimStart().startsWith('Z')) return undefined;
  return `${pid}:${stdout.trim().replace(/^\S+/, '').trim().replaceAll(/\s+/g, '_')}`;
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
