import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { parseSimulatedInstall } from './redis-sources.mjs';
import { SetupError } from './setup-error.mjs';

/** The packages of the server on Debian and Ubuntu, for systems on which apt cannot determine them. */
const USUAL_PACKAGES = ['redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'];

/**
 * Unpacks a redis-server from the package archive of the system into the empty `directory`, without root and without
 * installing it: `bin/redis-server`, with its libraries in `root`. Throws SetupError with the last line of apt if that
 * is not possible.
 *
 * @param {string} directory
 */
export async function unpackDebianRedis(directory) {
  const downloads = join(directory, 'downloads');
  mkdirSync(downloads);
  await download(directory, downloads);
  for (const name of readdirSync(downloads).filter((file) => file.endsWith('.deb'))) {
    await mustRun('dpkg', ['-x', join(downloads, name), join(directory, 'root')]);
  }
  mkdirSync(join(directory, 'bin'));
  // The binary is the server if it is called by the name of the server.
  symlinkSync('../root/usr/bin/redis-check-rdb', join(directory, 'bin', 'redis-server'));
  for (const name of ['downloads', 'apt']) rmSync(join(directory, name), { recursive: true, force: true });
}

/**
 * Returns the folders of the unpacked libraries for LD_LIBRARY_PATH, or an empty text if there are none.
 *
 * @param {string} directory
 * @returns {string}
 */
export function libraryPath(directory) {
  return ['usr/lib', 'lib']
    .map((place) => join(directory, 'root', place))
    .flatMap((place) => [place, ...subdirectories(place)])
    .join(':');
}

/**
 * @param {string} directory
 * @param {string} downloads
 */
async function download(directory, downloads) {
  // As root, apt would switch to another user, who may not write here.
  const unsandboxed = ['-o', 'APT::Sandbox::User=root'];
  if (await tryDownload(unsandboxed, downloads)) return;
  const withOwnLists = [...unsandboxed, ...ownState(join(directory, 'apt'))];
  await mustRun('apt-get', [...withOwnLists, 'update']);
  if (await tryDownload(withOwnLists, downloads)) return;
  throw new SetupError("the system's packages hold no redis-tools");
}

/**
 * @param {readonly string[]} options
 * @param {string} downloads
 */
async function tryDownload(options, downloads) {
  const names = await neededPackages(options);
  const { code } = await run('apt-get', [...options, 'download', ...names], { cwd: downloads });
  return code === 0;
}

/** @param {readonly string[]} options */
async function neededPackages(options) {
  const { code, output } = await run('apt-get', [
    ...options,
    'install',
    '-s',
    '--no-install-recommends',
    'redis-tools',
  ]);
  if (code !== 0) return USUAL_PACKAGES;
  return [...new Set(['redis-tools', ...parseSimulatedInstall(output)])];
}

/**
 * Returns options for private package lists. Those of the system may be missing, and only root may fetch them.
 *
 * @param {string} state
 */
function ownState(state) {
  for (const part of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(state, part), { recursive: true });
  const settings = [
    `Dir::State=${state}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${join(state, 'cache')}`,
    'Acquire::Languages=none',
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
async function mustRun(command, args) {
  const { code, output } = await run(command, args);
  if (code === 0) return;
  throw new SetupError(`${command} failed: ${output.trim().split('\n').at(-1) ?? `code ${code}`}`);
}

/** @param {string} directory */
function subdirectories(directory) {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  } catch {
    return [];
  }
}
