import { readFileSync } from 'node:fs';

/** An include line names another file, relative to its own file and without its ending. */
const INCLUDE = /^--- @include "([\w./-]+)"$/;

/**
 * Reads a Lua script and inserts its includes, each only once. Comment lines are left out, because Redis keeps the text
 * in memory. Throws if a file is missing.
 */
export function loadScript(file: URL): string {
  return linesOf(file, new Set()).join('\n');
}

function linesOf(file: URL, included: Set<string>): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const name = INCLUDE.exec(line)?.[1];
      if (name === undefined) return line.trimStart().startsWith('--') || line.trim() === '' ? [] : [line];
      const part = new URL(`${name}.lua`, file);
      if (included.has(part.href)) return [];
      included.add(part.href);
      return linesOf(part, included);
    });
}
