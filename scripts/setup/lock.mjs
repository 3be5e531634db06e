import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processIdentity } from './process-identity.mjs';

const POLL_MS = 200;

/**
 * Takes the lock, or returns its holder. A lock whose holder has died is free. Not re-entrant: the process that holds
 * it cannot take it again.
 *
 * @param {string} file
 * @returns {{ release: () => void } | { holderPid: number }}
 */
export function tryLock(file) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const mine = `${processIdentity(process.pid)} ${randomBytes(6).toString('hex')}`;
  for (;;) {
    if (createWhole(file, mine)) return { release: () => removeIfStill(file, mine) };
    const holder = readText(file);
    if (holder === undefined) continue;
    const holderPid = Number.parseInt(holder, 10);
    if (processIdentity(holderPid) === holder.split(' ')[0]) return { holderPid };
    removeIfStill(file, holder);
  }
}

/**
 * Waits for the lock without a limit, and runs `work` while holding it.
 *
 * @template T
 * @param {string} file
 * @param {(holderPid: number) => void} onWait called once if another process has the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, onWait, work) {
  let lock = tryLock(file);
  if ('holderPid' in lock) onWait(lock.holderPid);
  while ('holderPid' in lock) {
    await delay(POLL_MS);
    lock = tryLock(file);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/**
 * Creates the file as a link, so that it appears with its content and nobody reads half a lock.
 *
 * @param {string} file
 * @param {string} text
 */
function createWhole(file, text) {
  const draft = besides(file);
  writeFileSync(draft, text);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Moves the file aside before reading it. Of two processes that remove a dead lock only one gets the file, and a lock
 * taken in between is put back.
 *
 * @param {string} file
 * @param {string} text
 */
function removeIfStill(file, text) {
  if (readText(file) !== text) return;
  const aside = besides(file);
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (readText(aside) === text) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

/** @param {string} file */
function besides(file) {
  return `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
}

/** @param {string} file */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
}
