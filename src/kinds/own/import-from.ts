import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isObject } from './check-definition.ts';

/** The name of a module, and the folder from which it is imported. */
export interface ModulePlace {
  /** A path, if it begins with a dot or a slash, or ends in `.mjs`, `.cjs` or `.js`. Otherwise a package. */
  readonly name: string;
  /** The folder that the path is relative to, and in which the package is searched. */
  readonly directory: string;
}

/** Imports a module as a file in the directory would. Rejects with the error that the module throws. */
export async function importFrom({ name, directory }: ModulePlace): Promise<Readonly<Record<string, unknown>>> {
  const isPath = /^[./]/.test(name) || (/\.[mc]?js$/.test(name) && !name.startsWith('@'));
  const path = isPath ? resolve(directory, name) : packageEntry(name, directory);
  if (!existsSync(path)) throw new Error(`there is no file ${path}`);
  const { href } = pathToFileURL(path);
  try {
    return (await import(href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!lacksOwnPackage(error)) throw error;
    offerOwnPackage();
    // Node remembers the failure of a module by its URL.
    return (await import(`${href}?again`)) as Readonly<Record<string, unknown>>;
  }
}

function lacksOwnPackage(error: unknown): boolean {
  return (
    isObject(error) &&
    error['code'] === 'ERR_MODULE_NOT_FOUND' &&
    / package 'deferred-uploads'/.test(String(error['message']))
  );
}

const HOOKS = `let entry;
export const initialize = (url) => void (entry = url);
export const resolve = async (specifier, context, next) =>
  await next(specifier, context).catch((error) => {
    if (specifier !== 'deferred-uploads') throw error;
    return { url: entry, shortCircuit: true };
  });`;

/** Gives the functions of this installation to modules that cannot find this package by themselves. */
function offerOwnPackage(): void {
  const data = new URL('./definition.js', import.meta.url).href;
  register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, { data });
}

/**
 * Finds the module of a package. Node has no stable function for this: `import.meta.resolve` searches from its own
 * module, and `require.resolve` does not find a package that can only be imported.
 */
function packageEntry(name: string, directory: string): string {
  const [, packageName = '', subpath = ''] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(name) ?? [];
  const folder = packageFolder(packageName, directory);
  if (folder === undefined) throw new Error(`there is no package ${packageName} in ${join(directory, 'node_modules')}`);
  const description: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { exports, main } = isObject(description) ? description : {};
  if (exports === undefined) return join(folder, subpath || (typeof main === 'string' ? main : 'index.js'));
  const hasSubpaths = isObject(exports) && Object.keys(exports).every((key) => key.startsWith('.'));
  const entry = importTarget(hasSubpaths ? exports[`.${subpath}`] : subpath === '' ? exports : undefined);
  if (entry === undefined) throw new Error(`the package ${packageName} does not export ${name}`);
  return join(folder, entry);
}

function packageFolder(name: string, directory: string): string | undefined {
  const folder = join(directory, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  return directory === dirname(directory) ? undefined : packageFolder(name, dirname(directory));
}

/** Conditions of `exports` that hold for `import` in Node. */
const CONDITIONS: ReadonlySet<string> = new Set(['node', 'import', 'module-sync', 'default']);

/** Returns the path for `import`. The first condition that holds wins. */
function importTarget(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (!isObject(target)) return undefined;
  for (const [condition, value] of Object.entries(target)) {
    const found = CONDITIONS.has(condition) ? importTarget(value) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
