import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory with package.json, for the sources and for both builds. */
export const projectRoot = climb(dirname(fileURLToPath(import.meta.url)));

/** Files that the set-up fetches for this clone. May be deleted at any time. */
export const cacheDirectory = join(projectRoot, '.cache');

/** The lock of the process that changes `node_modules`, a build or the cache. */
export const setupLockFile = join(cacheDirectory, 'setup.lock');

/**
 * @param {string} directory
 * @returns {string}
 */
function climb(directory) {
  if (existsSync(join(directory, 'package.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error('package.json not found above the scripts');
  return climb(parent);
}
