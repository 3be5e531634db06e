import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory with package.json, from the sources as well as from either build. */
export const projectRoot = climb(dirname(fileURLToPath(import.meta.url)));

/** What set-up fetches for this clone alone; may be deleted at any time. */
export const cacheDirectory = join(projectRoot, '.cache');

/** Held by whoever changes `node_modules`, a build or the cache. */
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
