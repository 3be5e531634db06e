import { findOnPath, run } from './command.mjs';

/** @typedef {'apt-get' | 'dpkg' | 'apk' | 'dnf' | 'brew'} Manager */
/** @typedef {{ managers: readonly Manager[], mayInstall: boolean }} Machine */

/** @type {readonly Manager[]} */
const MANAGERS = ['apt-get', 'dpkg', 'apk', 'dnf', 'brew'];

/** @type {Readonly<Record<Exclude<Manager, 'dpkg'>, { refresh?: readonly string[], install: readonly string[] }>>} */
const COMMANDS = {
  'apt-get': {
    refresh: ['apt-get', 'update'],
    install: ['apt-get', '-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends'],
  },
  apk: { install: ['apk', 'add', '--no-cache'] },
  dnf: { install: ['dnf', 'install', '-y'] },
  brew: { install: ['brew', 'install'] },
};

/**
 * Returns the package managers of this machine. `mayInstall` is true if this user is root or can become root without a
 * password.
 *
 * @returns {Promise<Machine>}
 */
export async function probeMachine() {
  const managers = MANAGERS.filter((name) => findOnPath(name) !== undefined);
  return { managers, mayInstall: isRoot() || (await canSudo()) };
}

/**
 * Installs one package. `names` contains the names to try in turn for each package manager. Shows the output of the
 * package manager. Returns false if nothing could be installed, and true if a package manager reported success.
 *
 * @param {Machine} machine
 * @param {Readonly<Partial<Record<Manager, readonly string[]>>>} names
 * @returns {Promise<boolean>}
 */
export async function installPackage(machine, names) {
  for (const manager of machine.managers) {
    if (manager === 'dpkg') continue;
    const asRoot = rootPrefix(manager, machine.mayInstall);
    if (asRoot === undefined) continue;
    for (const name of names[manager] ?? []) {
      if (await install(manager, asRoot, name)) return true;
    }
  }
  return false;
}

/**
 * @param {Exclude<Manager, 'dpkg'>} manager
 * @param {readonly string[]} asRoot
 * @param {string} name
 */
async function install(manager, asRoot, name) {
  const { refresh, install: command } = COMMANDS[manager];
  if (await succeeds([...asRoot, ...command, name])) return true;
  if (refresh === undefined) return false;
  // New images have no package lists, and old images have outdated ones.
  return (await succeeds([...asRoot, ...refresh])) && (await succeeds([...asRoot, ...command, name]));
}

/** @param {readonly string[]} line */
async function succeeds([command = '', ...args]) {
  const { code } = await run(command, args, { show: true });
  return code === 0;
}

/**
 * @param {Manager} manager
 * @param {boolean} mayInstall
 * @returns {readonly string[] | undefined} undefined if this user lacks the rights
 */
function rootPrefix(manager, mayInstall) {
  if (manager === 'brew') return [];
  if (!mayInstall) return undefined;
  // sudo does not pass on the environment.
  const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  return isRoot() ? quietly : ['sudo', '-n', ...quietly];
}

function isRoot() {
  return process.getuid?.() === 0;
}

async function canSudo() {
  if (findOnPath('sudo') === undefined) return false;
  const { code } = await run('sudo', ['-n', 'true']);
  return code === 0;
}
