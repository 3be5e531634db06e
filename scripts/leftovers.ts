import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processIdentity } from './setup/process-identity.mjs';

const POLL_MS = 20;
const ENDING = '.pid';

/** A process that an earlier run may have left alive. */
export interface Leftover {
  readonly pid: number;
  readonly identity: string;
  /** It notices that its supervisor is gone and is on its way out; others have to be told. */
  readonly endsItself: boolean;
}

/** Writes down a process that is to be gone before the next run begins. */
export function notePid(directory: string, name: string, pid: number, endsItself: boolean): void {
  const identity = processIdentity(pid);
  if (identity === undefined) return;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name + ENDING), JSON.stringify({ pid, identity, endsItself } satisfies Leftover));
}

/** It has gone. */
export function forgetPid(directory: string, name: string): void {
  rmSync(join(directory, name + ENDING), { force: true });
}

/**
 * Resolves when nothing lives that `notePid` wrote down here: those that end themselves go
 * first, the others (which the first still use) are sent SIGTERM after them. What outlives
 * its grace is killed with its group. A pid that another process has now is left alone.
 * Whoever calls this holds the lock of the directory: nobody else's children are in it.
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
    // It went in this moment.
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

/** A power cut may leave half a file. */
function parseLeftover(text: string): Leftover | undefined {
  try {
    const { pid, identity, endsItself } = JSON.parse(text) as Partial<Leftover>;
    if (!Number.isInteger(pid) || pid === undefined || pid <= 1 || typeof identity !== 'string') return undefined;
    return { pid, identity, endsItself: endsItself === true };
  } catch {
    return undefined;
  }
}
