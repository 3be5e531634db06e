/**
 * Returns the ways in which this machine can get a redis-server, the least intrusive first. A private copy changes
 * nothing outside the clone and needs no rights. None of them leaves a Redis service running, because Debian's
 * `redis-tools` contains the binary of the server without its service.
 *
 * @param {import('./system-packages.mjs').Machine} machine
 * @returns {('private-copy' | 'system-package')[]}
 */
export function redisSources({ managers, mayInstall }) {
  /** @type {('private-copy' | 'system-package')[]} */
  const sources = [];
  if (managers.includes('apt-get') && managers.includes('dpkg')) sources.push('private-copy');
  if (managers.includes('brew') || (mayInstall && managers.some((name) => name !== 'dpkg')))
    sources.push('system-package');
  return sources;
}

/**
 * Returns the advice for a machine on which none of the ways has worked.
 *
 * @param {import('./system-packages.mjs').Machine} machine
 * @returns {string}
 */
export function redisAdvice({ managers }) {
  const known = /** @type {const} */ ({
    'apt-get': 'sudo apt-get install redis-tools',
    apk: 'apk add redis',
    dnf: 'sudo dnf install valkey',
    brew: 'brew install redis',
  });
  const line = managers.flatMap((name) => (name === 'dpkg' ? [] : [known[name]]))[0];
  const install = line === undefined ? 'install redis-server 6.2 or newer' : `install it (${line})`;
  return `no redis-server found and none could be fetched: ${install}; or set REDIS_URL to a running Redis`;
}

/**
 * Returns the version in the output of `redis-server --version` or `valkey-server --version`, otherwise undefined.
 *
 * @param {string} output
 * @returns {string | undefined}
 */
export function parseServerVersion(output) {
  return /^(?:Redis|Valkey) server v=(\d+\.\d+\.\d+)/m.exec(output)?.[1];
}

/**
 * BullMQ needs commands of Redis 6.2. All versions of Valkey are newer.
 *
 * @param {string} version
 * @returns {boolean}
 */
export function isRecentEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 2);
}

/**
 * Returns the packages that a simulated `apt-get install` would add, which include libraries that are missing on slim
 * systems.
 *
 * @param {string} output
 * @returns {string[]}
 */
export function parseSimulatedInstall(output) {
  return [...output.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
}
