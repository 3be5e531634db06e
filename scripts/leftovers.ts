import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processIdentity } from './setup/process-identity.mjs';

const POLL_MS = 20;
const ENDING = '.pid';

/** A process that an earlier run may have left alive. */
interface Leftover {
  readonly pid: number;
  readonly identity: string;
  /** True if it exits on its own when its supervisor is gone. Other processes must be stopped. */
  readonly endsItself: boolean;
}

/** Records a process that must have ended before the next run starts. */
export function notePid(directory: string, name: string, pid: number, endsItself: boolean): void {
  const identity = processIdentity(pid);
  if (identity === undefined) return;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name + ENDING), JSON.stringify({ pid, identity, endsItself } satisfies Leftover));
}

/** Removes the record of a process that has ended. */
export function forgetPid(directory: string, name: string): void {
  rmSync(join(directory, name + ENDING), { force: true });
}

/**
 * Resolves when every recorded process has ended. It waits first for processes that exit on their own, then sends
 * SIGTERM to the others. After the grace it kills a process with its group. A pid that another process has now is left
 * alone. The caller holds the lock of the directory.
 */
export async function endLeftovers(directory: string, graceMs: number): Promise<number> {
  const leftovers = readLeftovers(directory).filter(isAlive);
  await Promise.all(leftovers.filter((one) => one.endsItself).map((one) => untilGone(one, graceMs)));
  await Promise.all(leftovers.filter((one) => !one.endsItself).map((one) => terminate(one, graceMs)));
  for (const file of pidFiles(directory)) rmSync(join(directory, file), { force: true });
  return leftovers.length;
}

async function terminate(leftover: Leftover, graceMs: number): Promise<void> {
  signal(leftover.pid, 'SIGTERM');
  await untilGone(leftover, graceMs);
}

async function untilGone(leftover: Leftover, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  let isKilled = false;
  while (isAlive(leftover)) {
    if (!isKilled && performance.now() > deadline) {
      isKilled = true;
      signal(-leftover.pid, 'SIGKILL');
    }
    await delay(POLL_MS);
  }
}

function isAlive({ pid, identity }: Leftover): boolean {
  return processIdentity(pid) === identity;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // The process has just ended.
  }
}

function readLeftovers(directory: string): Leftover[] {
  return pidFiles(directory).flatMap((file) => {
    const leftover = parseLeftover(readFileSync(join(directory, file), 'utf8'));
    return leftover === undefined ? [] : [leftover];
  });
}

function pidFiles(directory: string): string[] {
  try {
    return readdirSync(directory).filter((file) => file.endsWith(ENDING));
  } catch {
    return [];
  }
}

/** Returns undefined for an incomplete file, which a power cut may leave. */
function parseLeftover(text: string): Leftover | undefined {
  try {
    const { pid, identity, endsItself } = JSON.parse(text) as Partial<Leftover>;
    if (!Number.isInteger(pid) || pid === undefined || pid <= 1 || typeof identity !== 'string') return undefined;
    return { pid, identity, endsItself: endsItself === true };
  } catch {
    return undefined;
  }
}
