import type { WorkbookArchive } from './archive.ts';
import { readWhole, tooMany } from './workbook.ts';

/** How a number is meant that is a point in time. */
export type TimeFormat = 'date' | 'datetime' | 'time';

/** Those that every workbook has (ECMA-376 part 1, section 18.8.30), Eastern ones included. */
const BUILT_IN: ReadonlyMap<number, TimeFormat> = new Map<number, TimeFormat>([
  ...[14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58].map((id) => [id, 'date'] as const),
  ...[18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56].map((id) => [id, 'time'] as const),
  [22, 'datetime'],
]);

/** Excel accepts 65,490 styles of cells, and fewer formats than that. */
const MOST_STYLES = 65_536;

/**
 * What number formats say of the cells of each style; undefined for those that are just numbers. Throws
 * `table_too_large` if there are more than 65,536.
 */
export async function readTimeFormats(
  archive: WorkbookArchive,
  part: string,
  signal: AbortSignal,
): Promise<(TimeFormat | undefined)[]> {
  const custom = new Map<number, TimeFormat | undefined>();
  const styles: number[] = [];
  let isOfCells = false;
  await readWhole(archive, part, signal, {
    open(name, attributes) {
      if (name === 'numFmt') custom.set(Number(attributes['numFmtId']), timeFormatOf(attributes['formatCode'] ?? ''));
      else if (name === 'cellXfs') isOfCells = true;
      else if (name === 'xf' && isOfCells) styles.push(Number(attributes['numFmtId'] ?? 0));
      if (styles.length > MOST_STYLES || custom.size > MOST_STYLES) throw tooMany('cell styles', MOST_STYLES);
    },
    close(name) {
      if (name === 'cellXfs') isOfCells = false;
    },
  });
  return styles.map((id) => (custom.has(id) ? custom.get(id) : BUILT_IN.get(id)));
}

/** Excel accepts no longer ones. */
const MAX_FORMAT_CHARACTERS = 255;

/** Texts, colours, conditions and padding of a format code. A bracket never spans another one: this keeps it linear. */
const NOT_PLACES = /"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\][]*\]/gi;

/**
 * By the places of the first section of a format code: `m` stands for months or for minutes, next to hours or seconds.
 * Undefined also for a code of more than 255 characters.
 */
export function timeFormatOf(formatCode: string): TimeFormat | undefined {
  if (formatCode.length > MAX_FORMAT_CHARACTERS) return undefined;
  const [first = ''] = formatCode.replace(NOT_PLACES, '').split(';');
  const code = first.replace(/general|E[+-]/gi, '');
  const hasTime = /[hs]|AM\/PM|A\/P|\[m+\]/i.test(code);
  const hasDate = /[ydeg]|(?:^|[^hs:.])m{3,}/i.test(code.replace(/AM\/PM|A\/P/gi, '')) || (!hasTime && /m/i.test(code));
  if (hasDate) return hasTime ? 'datetime' : 'date';
  return hasTime ? 'time' : undefined;
}
