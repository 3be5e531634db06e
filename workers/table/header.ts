import { CELL, cellTypeOf } from './cell-type.ts';
import { firstCharacters } from './first-characters.ts';
import { decodeBytes, type ByteText } from './row-source.ts';

/** Names are repeated in every row of the JSON Lines. */
const MAX_NAME_CHARACTERS = 128;

/** True where a table's first row can only be names: all different, none empty, none a number, a date or a truth value. */
export function isHeader(first: readonly ByteText[]): boolean {
  const names = first.map((cell) => cell.trim());
  return new Set(names).size === names.length && names.every((name) => cellTypeOf(name) === CELL.string);
}

/** One name for each column, all different: what the header says, and `column_1` and so on where it says nothing. */
export function columnNames(header: readonly ByteText[] | undefined, columnCount: number): string[] {
  const taken = new Set<string>();
  return Array.from({ length: columnCount }, (_, index) => {
    const given = cleanName(decodeBytes(header?.[index] ?? ''));
    const name = unused(given === '' ? `column_${index + 1}` : given, taken);
    taken.add(name);
    return name;
  });
}

function cleanName(raw: string): string {
  return firstCharacters(raw.replace(/[\p{Cc}\p{Cs}\s]+/gu, ' ').trim(), MAX_NAME_CHARACTERS);
}

function unused(name: string, taken: ReadonlySet<string>): string {
  let candidate = name;
  for (let number = 2; taken.has(candidate); number += 1) candidate = `${name}_${number}`;
  return candidate;
}
