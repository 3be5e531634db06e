import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { bundleCachedProcesses } from './cached-processes.mjs';
import { beginStamp, hasSources, isFresh, sourceFiles } from './build-stamp.mjs';
import { loadEsbuild } from './build-tools.mjs';
import { compileModules } from './compile-modules.mjs';
import { withLock } from './lock.mjs';
import { bundlePackages } from './package-bundles.mjs';
import { bundlePage } from './page-bundles.mjs';
import { bundleProcesses } from './process-bundles.mjs';
import { cacheDirectory, projectRoot, setupLockFile } from './project-root.mjs';

/** @typedef {import('./build.d.mts').BuildTarget} BuildTarget */

const DRAFT_PREFIX = 'build-draft-';

/**
 * The build for production. It starts in half the time because its packages are bundled.
 *
 * @type {BuildTarget}
 */
export const SERVICE_BUILD = {
  directory: join(projectRoot, 'dist'),
  compilerConfig: 'tsconfig.build.json',
  sources: ['src', 'workers', 'scripts'],
  without: [join('scripts', 'bench'), join('scripts', 'chaos')],
  isPrivate: false,
  bundlesPackages: true,
  cachesCode: false,
};

/**
 * The build for benchmarks, chaos and generated files: the service as in production, and the entries of the tests.
 *
 * @type {BuildTarget}
 */
export const BENCH_BUILD = {
  directory: join(cacheDirectory, 'bench-build'),
  compilerConfig: 'tsconfig.test-build.json',
  sources: ['src', 'workers', 'scripts', join('test', 'helpers'), join('docs', 'examples')],
  without: [],
  isPrivate: true,
  bundlesPackages: false,
  cachesCode: false,
};

/**
 * The build for processes of tests. They start several hundred times, so their packages are bundled and their compiled
 * code is kept.
 *
 * @type {BuildTarget}
 */
export const TEST_BUILD = {
  ...BENCH_BUILD,
  directory: join(cacheDirectory, 'test-build'),
  bundlesPackages: true,
  cachesCode: true,
};

/**
 * Compiles the target if its sources have changed. Does not check types. If several processes call this at the same
 * time, one compiles and the others wait. Throws SetupError with the errors of the compiler.
 *
 * @param {BuildTarget} target
 * @param {(line: string) => void} say
 */
export async function ensureBuild(target, say) {
  if (isUsable(target)) return;
  await underLock(say, async () => {
    if (!isUsable(target)) await build(target, say);
  });
}

/**
 * Compiles the target even if nothing has changed.
 *
 * @param {BuildTarget} target
 * @param {(line: string) => void} say
 */
export async function rebuild(target, say) {
  await underLock(say, () => build(target, say));
}

/**
 * Returns whether the target can run: it is up to date, or the installation has no sources.
 *
 * @param {BuildTarget} target
 * @returns {boolean}
 */
export function isUsable(target) {
  return hasSources(target) ? isFresh(target) : existsSync(target.directory);
}

/**
 * @param {(line: string) => void} say
 * @param {() => Promise<void>} work
 */
async function underLock(say, work) {
  await withLock(setupLockFile, (pid) => say(`waiting for another set-up (process ${pid})`), work);
}

/**
 * Builds into a new folder, which then replaces the old one, so that no process loads parts of two builds.
 *
 * @param {BuildTarget} target
 * @param {(line: string) => void} say
 */
async function build(target, say) {
  say('compiling');
  const esbuild = await loadEsbuild(say);
  mkdirSync(cacheDirectory, { recursive: true });
  removeDrafts();
  const draft = mkdtempSync(join(cacheDirectory, DRAFT_PREFIX));
  const stamp = beginStamp(target, draft);
  try {
    await compileModules(sourceFiles(target), draft, esbuild.build);
    await bundlePage(join(draft, 'src', 'page', 'built'), esbuild.build);
    if (target.bundlesPackages) {
      await bundleProcesses(draft, esbuild.build);
      await bundlePackages(join(draft, 'node_modules'), join(target.directory, 'node_modules'), esbuild.build);
    }
    if (target.cachesCode) await bundleCachedProcesses(draft, esbuild.build);
  } finally {
    await esbuild.stop();
  }
  for (const folder of target.sources) copyOtherFiles(target, folder, draft);
  stamp();
  if (!target.isPrivate) chmodSync(draft, 0o777 & ~process.umask());
  replace(target.directory, draft);
}

/**
 * @param {BuildTarget} target
 * @param {string} folder
 * @param {string} draft
 */
function copyOtherFiles(target, folder, draft) {
  const left = new Set(target.without.map((path) => join(projectRoot, path)));
  /** @param {string} path */
  const isWanted = (path) => !left.has(path) && (statSync(path).isDirectory() || !/\.m?ts$/.test(path));
  cpSync(join(projectRoot, folder), join(draft, folder), { recursive: true, filter: isWanted });
}

/**
 * @param {string} directory
 * @param {string} draft
 */
function replace(directory, draft) {
  const old = mkdtempSync(join(cacheDirectory, DRAFT_PREFIX));
  if (existsSync(directory)) renameSync(directory, join(old, 'old'));
  renameSync(draft, directory);
  removeDrafts();
}

/** Removes all drafts, also those of a set-up that was killed. The caller holds the lock. */
function removeDrafts() {
  for (const name of readdirSync(cacheDirectory).filter((entry) => entry.startsWith(DRAFT_PREFIX))) {
    rmSync(join(cacheDirectory, name), { recursive: true, force: true });
  }
}
