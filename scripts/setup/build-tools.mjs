import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runNpm } from './command.mjs';
import { cacheDirectory, projectRoot } from './project-root.mjs';
import { SetupError } from './setup-error.mjs';

/*
 * A production installation has no esbuild, because the finished build needs none. If such an installation must
 * compile, esbuild is installed in a folder of its own, in the version and with the checksums of package-lock.json.
 */

const OWN_FOLDER = join(cacheDirectory, 'build-tools');
const PARTS = /^node_modules\/(esbuild|@esbuild\/[^/]+)$/;

/**
 * Loads esbuild. Throws SetupError if it cannot be installed.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<typeof import('esbuild')>}
 */
export async function loadEsbuild(say) {
  const found = locate(projectRoot) ?? locate(OWN_FOLDER) ?? (await install(say));
  const loaded = await import(pathToFileURL(found).href);
  return loaded.default;
}

/**
 * Only a version of package-lock.json counts: an older one may be left from before an update.
 *
 * @param {string} folder
 * @returns {string | undefined}
 */
function locate(folder) {
  const require = createRequire(join(folder, 'package.json'));
  try {
    const { version } = require('esbuild/package.json');
    return version === readRootLock().packages['node_modules/esbuild']?.version
      ? require.resolve('esbuild')
      : undefined;
  } catch {
    return undefined;
  }
}

/** @param {(line: string) => void} say */
async function install(say) {
  const { packages, lockfileVersion } = readRootLock();
  const parts = Object.entries(packages).filter(([path]) => PARTS.test(path));
  const dependencies = { esbuild: packages['node_modules/esbuild']?.version ?? '' };
  const locked = parts.map(([path, part]) => [path, { ...part, dev: undefined }]);
  mkdirSync(OWN_FOLDER, { recursive: true });
  const head = { name: 'build-tools', version: '0.0.0' };
  write('package.json', { ...head, private: true, dependencies });
  write('package-lock.json', {
    ...head,
    lockfileVersion,
    packages: { '': { ...head, dependencies }, ...Object.fromEntries(locked) },
  });
  say('installing the compiler');
  const { code } = await runNpm(['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'], OWN_FOLDER);
  const found = locate(OWN_FOLDER);
  if (code !== 0 || found === undefined)
    throw new SetupError('the compiler cannot be installed: npm ci --include=dev', 1);
  return found;
}

/** @returns {{ lockfileVersion: number, packages: Record<string, { version?: string, dev?: boolean }> }} */
function readRootLock() {
  return JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'));
}

/**
 * @param {string} name
 * @param {object} content
 */
function write(name, content) {
  writeFileSync(join(OWN_FOLDER, name), JSON.stringify(content, undefined, 2));
}
