import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNpm } from './command.mjs';
import { withLock } from './lock.mjs';
import { currentPlatform, isForPlatform } from './platform.mjs';
import { projectRoot, setupLockFile } from './project-root.mjs';
import { deniedPath, SetupError } from './setup-error.mjs';

/** @typedef {import('./dependencies.d.mts').LockFile} LockFile */
/** @typedef {import('./platform.d.mts').Platform} Platform */

const LOCK_FILE = join(projectRoot, 'package-lock.json');
const MODULES = join(projectRoot, 'node_modules');
const STAMP = join(MODULES, '.setup-stamp');

/** npm's list of the installed packages, which it writes at every change. */
const INSTALLED = join(MODULES, '.package-lock.json');

/**
 * Installs the packages of package-lock.json unless they are installed. Throws SetupError with npm's exit code if npm
 * fails; npm has then printed the reason.
 *
 * @param {(line: string) => void} say
 * @param {{ development: boolean }} needed whether the development packages are needed too
 */
export async function ensureDependencies(say, needed) {
  if (isStamped(needed)) return;
  const onWait = (/** @type {number} */ pid) => say(`waiting for another set-up (process ${pid})`);
  await withLock(setupLockFile, onWait, async () => {
    if (isStamped(needed)) return;
    const isComplete = isInstalledByHand({ development: true });
    if (isComplete || (!needed.development && isInstalledByHand(needed))) return stamp({ development: isComplete });
    const wanted = { development: needed.development || hasDevelopmentPackages(readLock(INSTALLED)) };
    await install(say, wanted);
    stamp(wanted);
  });
}

/**
 * Returns whether every package of the lock that this machine needs is installed in the right version. Other optional
 * packages may be missing, because most of them are for other platforms.
 *
 * @param {LockFile} lock package-lock.json
 * @param {LockFile} installed node_modules/.package-lock.json
 * @param {{ development: boolean, platform: Platform }} needed
 * @returns {boolean}
 */
export function isInStep(lock, installed, { development, platform }) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '') return true;
    const present = installed.packages[path];
    if (present !== undefined) return present.version === wanted.version && present.integrity === wanted.integrity;
    if (!development && (wanted.dev === true || wanted.devOptional === true)) return true;
    return wanted.optional === true && !isForPlatform(wanted, platform);
  });
}

/**
 * Returns whether a developer works in this folder. A start of the service must not remove those packages after a
 * change of the lock.
 *
 * @param {LockFile | undefined} installed node_modules/.package-lock.json
 * @returns {boolean}
 */
export function hasDevelopmentPackages(installed) {
  return Object.values(installed?.packages ?? {}).some(({ dev }) => dev === true);
}

/**
 * @param {(line: string) => void} say
 * @param {{ development: boolean }} needed
 */
async function install(say, { development }) {
  say(`installing dependencies (npm ci${development ? '' : ' --omit=dev'})`);
  // The tests need the development packages under NODE_ENV=production too.
  // Engine warnings concern development packages that work anyway. Errors are still shown.
  const which = development ? '--include=dev' : '--omit=dev';
  const { code } = await runNpm(['ci', which, '--no-fund', '--no-audit', '--loglevel=error'], projectRoot);
  if (code !== 0) throw new SetupError(`npm ci failed with exit code ${code}`, code);
}

/**
 * Returns whether the user has run `npm ci`, so that no second installation is needed.
 *
 * @param {{ development: boolean }} needed
 */
function isInstalledByHand({ development }) {
  const installed = readLock(INSTALLED);
  const lock = readLock(LOCK_FILE);
  if (installed === undefined || lock === undefined) return false;
  return isInStep(lock, installed, { development, platform: currentPlatform() });
}

/** @param {{ development: boolean }} needed */
function isStamped({ development }) {
  if (!existsSync(STAMP)) return false;
  const text = readFileSync(STAMP, 'utf8');
  return text === stampText({ development: true }) || (!development && text === stampText({ development }));
}

/** @param {{ development: boolean }} installed */
function stamp(installed) {
  try {
    writeFileSync(STAMP, stampText(installed));
  } catch (error) {
    // The folder is read-only. Everything is installed, and only the check takes longer next time.
    if (deniedPath(error) === undefined) throw error;
  }
}

/**
 * Packages with native code fit only one platform, so the same folder on another machine counts as not installed. The
 * same is true for packages that npm has changed since, for example with `npm prune`.
 *
 * @param {{ development: boolean }} installed
 */
function stampText({ development }) {
  const { os, cpu, libc } = currentPlatform();
  const hash = createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex');
  const packages = development ? 'all' : 'production';
  const changedAtMs = statSync(INSTALLED, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return `${hash} ${packages} ${os} ${cpu} ${libc} abi-${process.versions.modules} ${changedAtMs}`;
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
