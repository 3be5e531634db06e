import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processIdentity } from './process-identity.mjs';

const POLL_MS = 200;

/**
 * Takes the lock, or says who has it. A lock whose holder died counts as free.
 * Not re-entrant: the process that holds it is refused too.
 *
 * @param {string} file
 * @returns {{ release: () => void } | { holderPid: number }}
 */
export function tryLock(file) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const mine = `${processIdentity(process.pid)} ${randomBytes(6).toString('hex')}`;
  for (;;) {
    if (createWhole(file, mine)) return { release: () => removeIfStill(file, mine) };
    const theirs = readText(file);
    if (theirs === undefined) continue;
    const holderPid = Number.parseInt(theirs, 10);
    if (processIdentity(holderPid) === theirs.split(' ')[0]) return { holderPid };
    removeIfStill(file, theirs);
  }
}

/**
 * Runs `work` while holding the lock and waits for it first, however long that takes.
 *
 * @template T
 * @param {string} file
 * @param {(holderPid: number) => void} onWait called once, when there is somebody to wait for
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
 * A link appears with its content: nobody ever reads half a lock.
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
 * Moves the file aside before looking at it: of two that clear a dead lock only one gets it,
 * and a lock taken in between is put back.
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
