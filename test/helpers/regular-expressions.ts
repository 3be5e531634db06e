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
 * Returns the pattern of every `new RegExp(…)` and `RegExp(…)` of the files. `x` replaces each value that a template
 * fills in. The pattern is undefined if it is not a literal at that place.
 */
export function constructedPatternsIn(files: readonly SourceFile[]): (PatternInSource | undefined)[] {
  return files.flatMap(({ path, text, body }) => {
    if (!text.includes('RegExp')) return [];
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

/** A character that no pattern matches. A text that ends with it forces the engine to try everything else. */
const UNMATCHED_END = '\u0001';

/** The start of a text, and the characters that are repeated after it. */
type SlowText = readonly [prefix: string, unit: string];

/**
 * Returns the first text for which the pattern needs more than linear time, or undefined. The texts are made of the
 * characters and prefixes of the pattern: 64 K times one character, the same after a prefix, and a repeated prefix.
 * Each ends with a character that does not match.
 */
export function superlinearText(pattern: PatternInSource): SlowText | undefined {
  const texts = slowTextsFor(pattern);
  const screened = texts.map((text) => textOf(text, SCREENED_LENGTH));
  for (let at = nextSlow(pattern, screened, 0); at < texts.length; at = nextSlow(pattern, screened, at + 1)) {
    const text = texts[at];
    if (text !== undefined && isSuperlinear(pattern, text)) return text;
  }
  return undefined;
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

/**
 * Returns one character for each atom of a pattern, in order. For a class it returns each member that is spelled out.
 */
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
const SLOW_CPU_MS = 200;
/** Real time after which a search is ended, because an exponential pattern never ends. Doubled on a busy machine. */
const FIRST_LIMIT_MS = 300;
/** How many times shorter the second text is. A linear pattern is 8 times as fast with it, a quadratic one 64 times. */
const SHORTER = 8;
const MOST_GROWTH = 20;
const ATTEMPTS = 6;
/** Two attempts that both need this many times the fast CPU time were not slowed down by a pause of the engine. */
const CLEARLY_SLOW = 8;

const context = createContext({});
const search = new Script('text.replace(pattern, "")');
/**
 * A script that stops at the first text that is not searched in time. It runs once for all texts, because a time limit
 * needs a thread.
 */
const screen = new Script(
  `{ const { texts, pattern, fastMs, now } = screened;
     for (; screened.at < texts.length; screened.at += 1) {
       pattern.lastIndex = 0;
       const beganAt = now();
       texts[screened.at].replace(pattern, "");
       if (now() - beganAt > fastMs) break;
     } }`,
);
/**
 * Length of the texts in the first search. A quadratic pattern needs a sixteenth of the time for a quarter of the text.
 */
const SCREENED_LENGTH = TEXT_LENGTH / 4;
const SCREENED_FAST_MS = FAST_CPU_MS / 16;
/** A text that is not searched within this time is searched again to measure the CPU time. */
const SCREEN_LIMIT_MS = 100;

/**
 * Returns the index of the first text from `at` on whose search takes long. A pause of the machine can cause that too.
 */
function nextSlow(pattern: PatternInSource, texts: readonly string[], at: number): number {
  const screened = { texts, at, pattern: compile(pattern), fastMs: SCREENED_FAST_MS, now: () => performance.now() };
  Object.assign(context, { screened });
  try {
    screen.runInContext(context, { timeout: SCREEN_LIMIT_MS });
  } catch {
    // The search of the text at this index has not ended.
  }
  return screened.at;
}

function isSuperlinear(pattern: PatternInSource, text: SlowText): boolean {
  const longMs = searchCpuMs(pattern, text, TEXT_LENGTH);
  if (longMs <= FAST_CPU_MS) return false;
  return longMs === Infinity || longMs > MOST_GROWTH * searchCpuMs(pattern, text, TEXT_LENGTH / SHORTER);
}

/**
 * Returns the shortest CPU time of some attempts, so that a pause of the engine does not count. Infinite if no search
 * ended.
 */
function searchCpuMs(source: PatternInSource, slowText: SlowText, length: number): number {
  const text = textOf(slowText, length);
  let bestMs = Infinity;
  let limitMs = FIRST_LIMIT_MS;
  for (let attempt = 0; attempt < ATTEMPTS && bestMs > FAST_CPU_MS; attempt += 1) {
    if (attempt >= 2 && bestMs < Infinity && bestMs > CLEARLY_SLOW * FAST_CPU_MS) break;
    Object.assign(context, { text, pattern: compile(source) });
    const before = process.cpuUsage();
    const hasEnded = endsWithin(limitMs);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    if (!hasEnded && cpuMs > SLOW_CPU_MS) return Infinity;
    // An attempt that got no processor time proves nothing.
    if (!hasEnded) limitMs *= 2;
    else bestMs = Math.min(bestMs, cpuMs);
  }
  return bestMs;
}

function textOf([prefix, unit]: SlowText, length: number): string {
  return prefix + unit.repeat(Math.ceil(length / unit.length)) + UNMATCHED_END;
}

function compile({ source, flags }: PatternInSource): RegExp {
  return new RegExp(source, /[gy]/.test(flags) ? flags : `${flags}g`);
}

function endsWithin(limitMs: number): boolean {
  try {
    search.runInContext(context, { timeout: limitMs });
    return true;
  } catch {
    return false;
  }
}
