import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { withLock } from './lock.mjs';
import { projectRoot, setupLockFile } from './project-root.mjs';
import { SetupError } from './setup-error.mjs';

/** @typedef {import('./dependencies.d.mts').LockFile} LockFile */

const LOCK_FILE = join(projectRoot, 'package-lock.json');
const MODULES = join(projectRoot, 'node_modules');
const STAMP = join(MODULES, '.setup-stamp');

/**
 * Installs what package-lock.json says, unless it is what is installed. Throws SetupError with
 * npm's exit code when npm fails, which has then said why.
 *
 * @param {(line: string) => void} say
 */
export async function ensureDependencies(say) {
  if (isStamped()) return;
  const onWait = (/** @type {number} */ pid) => say(`waiting for another set-up (process ${pid})`);
  await withLock(setupLockFile, onWait, async () => {
    if (isStamped()) return;
    if (!isInstalledByHand()) await install(say);
    writeFileSync(STAMP, hashOfLock());
  });
}

/**
 * Whether npm's record of what it installed has every package of the lock, in the lock's
 * version. Optional ones may be missing: most of them are for other platforms.
 *
 * @param {LockFile} lock package-lock.json
 * @param {LockFile} installed node_modules/.package-lock.json
 * @returns {boolean}
 */
export function isInStep(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '') return true;
    const present = installed.packages[path];
    if (present === undefined) return wanted.optional === true;
    return present.version === wanted.version && present.integrity === wanted.integrity;
  });
}

/** @param {(line: string) => void} say */
async function install(say) {
  say('installing dependencies (npm ci)');
  // One stamp for all scripts: the tests need the development packages under NODE_ENV=production too.
  // Warnings of engines are about development packages that work all the same; errors are still shown.
  const args = ['ci', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const { code } = await (npm?.endsWith('npm-cli.js')
    ? run(process.execPath, [npm, ...args], { cwd: projectRoot, show: true })
    : run('npm', args, { cwd: projectRoot, show: true }));
  if (code !== 0) throw new SetupError(`npm ci failed with exit code ${code}`, code);
}

/** Somebody who typed `npm ci` before the first `npm test` need not wait for a second one. */
function isInstalledByHand() {
  const installed = readLock(join(MODULES, '.package-lock.json'));
  const lock = readLock(LOCK_FILE);
  return installed !== undefined && lock !== undefined && isInStep(lock, installed);
}

function isStamped() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hashOfLock();
}

function hashOfLock() {
  return createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex');
}

/**
 * @param {string} file
 * @returns {LockFile | undefined}
 */
function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
