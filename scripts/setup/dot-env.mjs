import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * Sets the variables of a file that are not set yet. A missing file is no error.
 *
 * @param {string} file
 * @param {Record<string, string | undefined>} [environment]
 */
export function loadDotEnv(file, environment = process.env) {
  if (!existsSync(file)) return;
  // Some editors begin a file with a byte order mark.
  const settings = parseEnv(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  for (const [name, value] of Object.entries(settings)) environment[name] ??= value;
}
