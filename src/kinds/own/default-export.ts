import { isObject } from './check-definition.ts';

/** Returns the default export of a module. Compilers that make CommonJS put it into a member of `module.exports`. */
export function defaultExport(imported: unknown): unknown {
  return isObject(imported) && imported['__esModule'] === true ? imported['default'] : imported;
}
