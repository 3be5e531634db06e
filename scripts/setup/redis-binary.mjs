import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findOnPath, run } from './command.mjs';
import { libraryPath, unpackDebianRedis } from './debian-redis.mjs';
import { withLock } from './lock.mjs';
import { cacheDirectory, setupLockFile } from './project-root.mjs';
import { isRecentEnough, parseServerVersion, redisAdvice, redisSources } from './redis-sources.mjs';
import { SetupError } from './setup-error.mjs';
import { installPackage, probeMachine } from './system-packages.mjs';

/** @typedef {import('./redis-binary.d.mts').RedisBinary} RedisBinary */

const PRIVATE_COPY = join(cacheDirectory, 'redis');
const PACKAGE_NAMES = {
  'apt-get': ['redis-tools'],
  apk: ['redis', 'valkey'],
  dnf: ['valkey', 'redis'],
  brew: ['redis'],
};

/**
 * Returns a redis-server or valkey-server (6.2 or newer) that runs here, from PATH or else the private copy, or
 * undefined. Each candidate must print its version, which takes some milliseconds. Installs nothing.
 *
 * @returns {Promise<RedisBinary | undefined>}
 */
export async function findRedisServer() {
  for (const candidate of candidates()) {
    const { output } = await run(candidate.command, ['--version'], candidate);
    const version = parseServerVersion(output);
    if (version !== undefined && isRecentEnough(version)) return { ...candidate, version };
  }
  return undefined;
}

/**
 * Like `findRedisServer`, and installs one if there is none. If several processes call this at the same time, one works
 * and the others wait. Throws SetupError with a line for the user.
 *
 * @param {(line: string) => void} say receives a line for each thing that is done
 * @returns {Promise<RedisBinary>}
 */
export async function ensureRedisServer(say) {
  const found = await findRedisServer();
  if (found !== undefined) return found;
  const onWait = (/** @type {number} */ pid) => say(`waiting for another set-up (process ${pid})`);
  return withLock(setupLockFile, onWait, async () => (await findRedisServer()) ?? getRedisServer(say));
}

/** @param {(line: string) => void} say */
async function getRedisServer(say) {
  const machine = await probeMachine();
  for (const source of redisSources(machine)) {
    if (source === 'private-copy') await makePrivateCopy(say);
    else await installFromSystem(machine, say);
    const found = await findRedisServer();
    if (found !== undefined) return found;
  }
  throw new SetupError(redisAdvice(machine));
}

/** @param {(line: string) => void} say */
async function makePrivateCopy(say) {
  say(
    "no redis-server on this machine: unpacking a private copy from the system's packages (1 to 2 MB, no root needed)",
  );
  mkdirSync(cacheDirectory, { recursive: true });
  const draft = mkdtempSync(`${PRIVATE_COPY}-draft-`);
  try {
    await unpackDebianRedis(draft);
    // mkdtemp makes a directory that other users of this clone cannot read.
    chmodSync(draft, 0o755);
    // If a private copy exists, it does not run: otherwise `findRedisServer` would have found it.
    rmSync(PRIVATE_COPY, { recursive: true, force: true });
    renameSync(draft, PRIVATE_COPY);
  } catch (error) {
    say(`no private copy: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * @param {import('./system-packages.mjs').Machine} machine
 * @param {(line: string) => void} say
 */
async function installFromSystem(machine, say) {
  say("no redis-server on this machine: installing one with the system's package manager");
  await installPackage(machine, PACKAGE_NAMES);
}

/** @returns {Omit<RedisBinary, 'version'>[]} */
function candidates() {
  const onPath = ['redis-server', 'valkey-server'].flatMap((name) => {
    const command = findOnPath(name);
    return command === undefined ? [] : [{ command }];
  });
  return [...onPath, ...toolsOnPath(), ...privateCopy()];
}

/** Debian's tools package contains the server under the name of a checker. */
function toolsOnPath() {
  const checker = findOnPath('redis-check-rdb', 'valkey-check-rdb');
  if (checker === undefined) return [];
  return [{ command: checker, argv0: basename(checker).replace('-check-rdb', '-server') }];
}

function privateCopy() {
  const command = join(PRIVATE_COPY, 'bin', 'redis-server');
  if (!existsSync(command)) return [];
  return [{ command, env: { LD_LIBRARY_PATH: libraryPath(PRIVATE_COPY) } }];
}
