import { readFileSync } from 'node:fs';

/** A line that puts another file in its place, named relative to this one and without its ending. */
const INCLUDE = /^--- @include "([\w./-]+)"$/;

/**
 * Reads a Lua script with the parts that it includes, each once and where it is first named. Comment lines are left out,
 * since Redis keeps the text. Throws if a file is missing.
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
