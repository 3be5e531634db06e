import type { ByteText } from '../row-source.ts';

const QUOTE = '"';

/**
 * The cells of a record whose quotes stand around whole cells and nowhere else. Undefined where there are others:
 * two that stand for one, or one in the wrong place.
 */
export function splitQuoted(record: ByteText, delimiter: string): ByteText[] | undefined {
  const cells: ByteText[] = [];
  let quote = positionOf(QUOTE, record, 0);
  for (let start = 0; ;) {
    const isQuoted = quote === start && quote < record.length;
    const inner = isQuoted ? start + 1 : start;
    const innerEnd = positionOf(isQuoted ? QUOTE : delimiter, record, inner);
    const end = isQuoted ? innerEnd + 1 : innerEnd;
    const isSplit = isQuoted ? end === record.length || record[end] === delimiter : quote >= end;
    if (!isSplit) return undefined;
    cells.push(record.slice(inner, innerEnd));
    if (end === record.length) return cells;
    start = end + 1;
    if (isQuoted) quote = positionOf(QUOTE, record, start);
  }
}

/** The length of the text where there is none. */
function positionOf(sign: string, text: string, from: number): number {
  const found = text.indexOf(sign, from);
  return found < 0 ? text.length : found;
}
