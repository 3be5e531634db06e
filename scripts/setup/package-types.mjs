import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { run } from './command.mjs';
import { cacheDirectory, projectRoot } from './project-root.mjs';
import { SetupError } from './setup-error.mjs';

/** The types of the browser client are one file without imports, which the repository contains. */
const WRITTEN = 'src/client/client.d.ts';

const COMPILER = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');

/**
 * Writes the type declarations of the entry points of the package into a build, and the declarations that they import.
 * Throws SetupError with the output of the compiler.
 *
 * @param {string} directory the build
 */
export async function writePackageTypes(directory) {
  mkdirSync(cacheDirectory, { recursive: true });
  const all = mkdtempSync(join(cacheDirectory, 'types-'));
  try {
    await declare(all);
    const wanted = entryTypes();
    for (const path of wanted) {
      if (path === WRITTEN) {
        cpSync(join(projectRoot, path), join(directory, path));
        continue;
      }
      const text = readFileSync(join(all, path), 'utf8');
      for (const target of importsOf(text)) wanted.add(posix.join(posix.dirname(path), target));
      write(join(directory, path), text.replace(OWN_IMPORT, '$1$2.js$3'));
    }
  } finally {
    rmSync(all, { recursive: true, force: true });
  }
}

/** A relative import of a module or of written types, static or in a type. */
const OWN_IMPORT = /(\bfrom |\bimport\()("\.[^"]+?|'\.[^']+?)(?:\.d)?\.ts(["'])/g;

/** @param {string} directory */
async function declare(directory) {
  const flags = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--noCheck', '--outDir', directory];
  const args = [COMPILER, '--project', 'tsconfig.build.json', ...flags];
  const { code, output } = await run(process.execPath, args, { cwd: projectRoot });
  if (code !== 0) throw new SetupError(`the type declarations cannot be made:\n${output.trim()}`);
}

/**
 * Returns the declarations that package.json names, relative to the build. More are added while they are written.
 *
 * @returns {Set<string>}
 */
function entryTypes() {
  const { exports } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  const entries = /** @type {{ types?: string }[]} */ (Object.values(exports));
  return new Set(entries.flatMap(({ types }) => (types === undefined ? [] : [types.replace('./dist/', '')])));
}

/** @param {string} text */
function importsOf(text) {
  return [...text.matchAll(OWN_IMPORT)].map(([, , path = '']) => `${path.slice(1)}.d.ts`);
}

/**
 * @param {string} path
 * @param {string} text
 */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
