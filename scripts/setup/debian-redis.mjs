import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { parseSimulatedInstall } from './redis-sources.mjs';
import { SetupError } from './setup-error.mjs';

/** What the server needs on Debian and Ubuntu, for systems on which apt cannot work it out. */
const USUAL_PACKAGES = ['redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'];

/**
 * Unpacks a redis-server from the system's package archive into `directory` (which exists and
 * is empty), without root and without telling the system: `bin/redis-server` with its
 * libraries in `root`. Throws SetupError with apt's last line when that does not work here.
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
  // One binary in two roles: it is the server when it is called by the server's name.
  symlinkSync('../root/usr/bin/redis-check-rdb', join(directory, 'bin', 'redis-server'));
  for (const name of ['downloads', 'apt']) rmSync(join(directory, name), { recursive: true, force: true });
}

/**
 * Where the unpacked libraries lie, as LD_LIBRARY_PATH takes it; empty where there are none.
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
  // As root apt would drop to a user of its own, who may not write here.
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
 * The system's package lists may be missing, and only root may fetch them: these are ours.
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
