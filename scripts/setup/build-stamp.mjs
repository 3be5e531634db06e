import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project-root.mjs';

/** @typedef {import('./build.d.mts').BuildTarget} BuildTarget */

const STAMP = '.build-stamp';

/** The files that the output depends on besides the sources. */
const SHARED_INPUTS = ['package.json', 'package-lock.json', 'tsconfig.json'];

/**
 * Returns whether the build was made of the current sources. It compares contents, so a copy or checkout that only
 * changes times has no effect.
 *
 * @param {BuildTarget} target
 * @returns {boolean}
 */
export function isFresh(target) {
  const file = join(target.directory, STAMP);
  return existsSync(file) && readFileSync(file, 'utf8') === hashOfInputs(target);
}

/**
 * Returns false for an installation that contains only the build.
 *
 * @param {BuildTarget} target
 * @returns {boolean}
 */
export function hasSources(target) {
  return [...target.sources, target.compilerConfig].every((path) => existsSync(join(projectRoot, path)));
}

/**
 * Reads the sources and returns a function that writes the stamp. Call it after everything else is written. If a file
 * changes meanwhile, the build is out of date.
 *
 * @param {BuildTarget} target
 * @param {string} directory
 * @returns {() => void}
 */
export function beginStamp(target, directory) {
  const hash = hashOfInputs(target);
  return () => writeFileSync(join(directory, STAMP), hash);
}

/**
 * Returns the files of the target, relative to the top of the repository.
 *
 * @param {BuildTarget} target
 * @returns {string[]}
 */
export function sourceFiles(target) {
  return target.sources.flatMap((folder) => filesBelow(folder, target.without));
}

/** @param {BuildTarget} target */
function hashOfInputs(target) {
  const hash = createHash('sha256');
  for (const path of [...SHARED_INPUTS, target.compilerConfig, ...sourceFiles(target)]) {
    const content = readFileSync(join(projectRoot, path));
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} folder
 * @param {readonly string[]} without
 * @returns {string[]}
 */
function filesBelow(folder, without) {
  if (without.includes(folder)) return [];
  const entries = readdirSync(join(projectRoot, folder), { withFileTypes: true });
  return entries
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path, without);
      return entry.isFile() ? [path] : [];
    });
}
