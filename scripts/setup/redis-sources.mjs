/**
 * The ways to a redis-server that this machine offers, the least intrusive first: a private
 * copy changes nothing outside the clone and needs no rights. None of them leaves a Redis
 * service running: Debian's `redis-tools` holds the server's binary without its service.
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
 * What to tell a person on whose machine none of the ways led anywhere.
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
  return `no redis-server found and none could be fetched: ${install}; npm start also takes one that runs elsewhere, by REDIS_URL`;
}

/**
 * The version that `redis-server --version` or `valkey-server --version` printed; undefined for anything else.
 *
 * @param {string} output
 * @returns {string | undefined}
 */
export function parseServerVersion(output) {
  return /^(?:Redis|Valkey) server v=(\d+\.\d+\.\d+)/m.exec(output)?.[1];
}

/**
 * BullMQ wants commands of Redis 6.2; Valkey's count begins above it.
 *
 * @param {string} version
 * @returns {boolean}
 */
export function isRecentEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 2);
}

/**
 * The packages that a simulated `apt-get install` would add, so that slim systems get the
 * libraries too which fuller ones have.
 *
 * @param {string} output
 * @returns {string[]}
 */
export function parseSimulatedInstall(output) {
  return [...output.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
}
