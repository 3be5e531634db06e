import { findOnPath, isExecutable, run } from './command.mjs';
import { withLock } from './lock.mjs';
import { setupLockFile } from './project-root.mjs';
import { SetupError } from './setup-error.mjs';
import { installPackage, probeMachine } from './system-packages.mjs';

const NAMES_ON_PATH = [
  // Has no user interface, so it starts faster and needs a third less processor time in the tests.
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
];
const MAC_APPLICATION = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
/** Debian has the browser without user interface as a package of its own. The second name is for Ubuntu. */
const PACKAGE_NAMES = { 'apt-get': ['chromium-headless-shell', 'chromium'], apk: ['chromium'], dnf: ['chromium'] };

/**
 * Returns the Chromium for the tests of the page: CHROMIUM_PATH, or one on PATH, or undefined. It must print its
 * version, because some systems have a stub on PATH that only advises an installation. Throws SetupError if
 * CHROMIUM_PATH does not run.
 *
 * @returns {Promise<string | undefined>}
 */
export async function findChromium() {
  const chosen = process.env.CHROMIUM_PATH;
  if (chosen) {
    if (await runs(chosen)) return chosen;
    throw new SetupError(`CHROMIUM_PATH does not name a Chromium that runs: ${chosen}`);
  }
  for (const candidate of [...NAMES_ON_PATH.map((name) => findOnPath(name)), MAC_APPLICATION]) {
    if (candidate !== undefined && (await runs(candidate))) return candidate;
  }
  return undefined;
}

/**
 * Like `findChromium`, and installs one if there is none and this user may. Throws SetupError with a line for the user.
 *
 * @param {(line: string) => void} say receives a line for each thing that is done
 * @returns {Promise<string>}
 */
export async function ensureChromium(say) {
  const found = await findChromium();
  if (found !== undefined) return found;
  const onWait = (/** @type {number} */ pid) => say(`waiting for another set-up (process ${pid})`);
  return withLock(setupLockFile, onWait, async () => (await findChromium()) ?? installChromium(say));
}

/** @param {(line: string) => void} say */
async function installChromium(say) {
  const machine = await probeMachine();
  if (machine.mayInstall) {
    say("no Chromium on this machine: installing one with the system's package manager (up to 200 MB)");
    await installPackage(machine, PACKAGE_NAMES);
  }
  const found = await findChromium();
  if (found !== undefined) return found;
  throw new SetupError(
    'no Chromium found for the tests of the page: install it (sudo apt-get install chromium) ' +
      'or name one in CHROMIUM_PATH; E2E=0 leaves these tests out',
  );
}

/** @param {string} command */
async function runs(command) {
  if (!isExecutable(command)) return false;
  const { code } = await run(command, ['--version']);
  return code === 0;
}
