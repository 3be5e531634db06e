import { decodeBytes, firstCharacters, type ByteText } from './row-source.ts';

/** The limit for a name. It is low, because every row of the JSON Lines repeats the names. */
const MAX_NAME_CHARACTERS = 128;
/** A further limit for a table of many columns. Its rows may hold only delimiters, and still repeat all names. */
const MAX_NAME_BYTES = 128;
const MANY_COLUMNS = 200;

/** Replaces `__proto__`, which programs that copy an object lose or set as its prototype. */
const SAFE_PROTO = '_proto_';

/**
 * Characters that make two names look equal or reverse the direction of text. Joiners are kept after characters that
 * they can join: emoji, Persian, scripts of India.
 */
const UNSEEN = /[\p{Bidi_Control}\u200B\u2060\uFEFF]|(?<![^\0-\u024F])[\u200C\u200D]/gu;
const BETWEEN_WORDS = /[\p{Cc}\p{Cs}\s]+/gu;

/**
 * Returns one unique name per column: the text of the header, or `column_1` and so on. Names have at most 128
 * characters, and with more than 200 columns also at most 128 bytes, before a number is added.
 */
export function columnNames(header: readonly ByteText[] | undefined, columnCount: number): string[] {
  const taken = new Set<string>();
  const numbers = new Map<string, number>();
  return Array.from({ length: columnCount }, (_, index) => {
    const given = cleanName(decodeBytes(header?.[index] ?? ''), columnCount);
    const name = unused(given === '' ? `column_${index + 1}` : given, taken, numbers);
    taken.add(name);
    return name;
  });
}

function cleanName(raw: string, columnCount: number): string {
  const seen = raw.replace(UNSEEN, '').replace(BETWEEN_WORDS, ' ').trim();
  const name = firstCharacters(seen === '__proto__' ? SAFE_PROTO : seen, MAX_NAME_CHARACTERS);
  return columnCount > MANY_COLUMNS ? firstBytes(name, MAX_NAME_BYTES) : name;
}

/** Returns the start of a text: as many whole characters as fit into `bytes`. */
function firstBytes(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}

/**
 * Returns a name that is not taken.
 * @param numbers the last number that each name got, so that a thousand equal names take a thousand steps
 */
function unused(name: string, taken: ReadonlySet<string>, numbers: Map<string, number>): string {
  let candidate = name;
  for (let number = numbers.get(name) ?? 2; taken.has(candidate); number += 1) {
    candidate = `${name}_${number}`;
    numbers.set(name, number + 1);
  }
  return candidate;
}
