import { createContext, Script } from 'node:vm';
import { walk, type SourceFile, type SyntaxNode } from './source-tree.ts';

/** A regular expression literal of a source file. */
export interface PatternInSource {
  readonly path: string;
  readonly source: string;
  readonly flags: string;
}

/** Returns every regular expression literal of the files, each once per file. */
export function patternsIn(files: readonly SourceFile[]): PatternInSource[] {
  return files.flatMap(({ path, body }) => {
    const found = new Map<string, PatternInSource>();
    walk(body, (node) => {
      if (node.type !== 'RegExpLiteral') return;
      const [source, flags] = [String(node['pattern']), String(node['flags'])];
      found.set(`/${source}/${flags}`, { path, source, flags });
    });
    return [...found.values()];
  });
}

/**
 * Returns the pattern of every `new RegExp(…)` and `RegExp(…)` of the files, with `x` in place of what a template fills
 * in; undefined in place of a pattern that is not written there.
 */
export function constructedPatternsIn(files: readonly SourceFile[]): (PatternInSource | undefined)[] {
  return files.flatMap(({ path, body }) => {
    const found: (PatternInSource | undefined)[] = [];
    walk(body, (node) => {
      const callee = node['callee'] as SyntaxNode | undefined;
      if (!/^(New|Call)Expression$/.test(node.type) || callee?.['value'] !== 'RegExp') return;
      const [pattern, flags] = (node['arguments'] as { expression: SyntaxNode }[]).map(({ expression }) => expression);
      const source = pattern === undefined ? undefined : writtenText(pattern);
      found.push(source === undefined ? undefined : { path, source, flags: (flags && writtenText(flags)) ?? '' });
    });
    return found;
  });
}

function writtenText(node: SyntaxNode): string | undefined {
  if (node.type === 'StringLiteral') return String(node['value']);
  if (node.type !== 'TemplateLiteral') return undefined;
  return (node['quasis'] as { cooked: string }[]).map(({ cooked }) => cooked).join('x');
}

const TEXT_LENGTH = 65_536;
const MOST_CHARACTERS = 24;
const UNBOUNDED = /[^\\][*+]|\{\d+,\}/;

/** No pattern can match it, so a text that ends with it forces the engine to try everything else. */
const UNMATCHED_END = '\u0001';

/** The start of a text, and the characters that are repeated after it. */
type SlowText = readonly [prefix: string, unit: string];

/**
 * Returns the first text for which the pattern needs more than linear time, undefined if there is none. The texts are
 * each character of the pattern 64 K times, each of them after a prefix of the pattern, and each prefix again and
 * again; all with an end that does not match.
 */
export function superlinearText(pattern: PatternInSource): SlowText | undefined {
  return slowTextsFor(pattern).find((text) => isSuperlinear(pattern, text));
}

function slowTextsFor({ source }: PatternInSource): SlowText[] {
  const characters = charactersOf(source).slice(0, MOST_CHARACTERS);
  const each = [...new Set(characters)];
  if (!UNBOUNDED.test(source)) return each.map((character) => ['', character]);
  const prefixes = ['', ...characters.map((_, index) => characters.slice(0, index + 1).join(''))];
  return prefixes.flatMap((prefix): SlowText[] => [
    ...(prefix === '' ? [] : [['', prefix] as const]),
    ...each.map((character) => [prefix, character] as const),
  ]);
}

const CLASS_OF_ESCAPE: Readonly<Record<string, string>> = {
  d: '0',
  w: 'a',
  s: ' ',
  D: 'a',
  W: '!',
  S: 'a',
  t: '\t',
  n: '\n',
  r: '\r',
  b: '',
  B: '',
  p: 'a',
  P: '!',
};

/** One character for each atom of a pattern, in order; of a class each of its members that is spelled out. */
function charactersOf(source: string): string[] {
  const atoms =
    /\\u\{?([0-9a-f]{4,6})\}?|\\x([0-9a-f]{2})|\\([pP])\{[^}]*\}|\\(.)|\(\?(?:<[^>]*>|[:=!]|<[=!])?|\{[\d,]*\}|\[\^|([^\\()|{}*+?^$[\]])/giu;
  return [...source.matchAll(atoms)].flatMap(([all, unicode, hex, property, escaped, plain]) => {
    const code = unicode ?? hex;
    if (code !== undefined) return [String.fromCodePoint(Number.parseInt(code, 16))];
    const escape = property ?? escaped;
    if (escape !== undefined) return [CLASS_OF_ESCAPE[escape] ?? escape].filter((character) => character !== '');
    if (all === '[^') return ['a'];
    return plain === undefined ? [] : [plain === '.' ? 'a' : plain];
  });
}

/** A linear pattern needs about a millisecond for 64 KB. It is CPU time, so it grows little with the machine's load. */
const FAST_CPU_MS = 20;
/** No linear pattern needs so much CPU time. */
const SLOW_CPU_MS = 300;
/** Real time after which a search is ended, because an exponential pattern never ends. Doubled on a busy machine. */
const FIRST_LIMIT_MS = 400;
/** Eight times the text takes a linear pattern 8 times as long, a quadratic one 64 times. */
const SHORTER = 8;
const MOST_GROWTH = 20;
const ATTEMPTS = 6;

const context = createContext({});
const search = new Script('text.replace(pattern, "")');

function isSuperlinear(pattern: PatternInSource, text: SlowText): boolean {
  const longMs = searchCpuMs(pattern, text, TEXT_LENGTH);
  if (longMs <= FAST_CPU_MS) return false;
  return longMs === Infinity || longMs > MOST_GROWTH * searchCpuMs(pattern, text, TEXT_LENGTH / SHORTER);
}

/** The best of some attempts, so that a pause of the engine does not count; infinite if the search did not end. */
function searchCpuMs({ source, flags }: PatternInSource, [prefix, unit]: SlowText, length: number): number {
  const text = prefix + unit.repeat(Math.ceil(length / unit.length)) + UNMATCHED_END;
  let bestMs = Infinity;
  let limitMs = FIRST_LIMIT_MS;
  for (let attempt = 0; attempt < ATTEMPTS && bestMs > FAST_CPU_MS; attempt += 1) {
    Object.assign(context, { text, pattern: new RegExp(source, /[gy]/.test(flags) ? flags : `${flags}g`) });
    const before = process.cpuUsage();
    const hasEnded = endsWithin(limitMs);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    if (!hasEnded && cpuMs > SLOW_CPU_MS) return Infinity;
    // An attempt that the machine gave no time to says nothing.
    if (!hasEnded) limitMs *= 2;
    else bestMs = Math.min(bestMs, cpuMs);
  }
  return bestMs;
}

function endsWithin(limitMs: number): boolean {
  try {
    search.runInContext(context, { timeout: limitMs });
    return true;
  } catch {
    return false;
  }
}
