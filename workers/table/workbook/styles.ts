import type { WorkbookArchive } from './archive.ts';
import { readWhole, tooMany } from './workbook.ts';

/** The meaning of a number in a date format: it follows from the parts that the format shows. */
export type TimeFormat = 'date' | 'datetime' | 'time' | 'duration';

/** The built-in formats of every workbook (ECMA-376 part 1, section 18.8.30), including those of East Asia. */
const BUILT_IN: ReadonlyMap<number, TimeFormat> = new Map<number, TimeFormat>([
  ...[14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58].map((id) => [id, 'date'] as const),
  ...[18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56].map((id) => [id, 'time'] as const),
  [22, 'datetime'],
  [46, 'duration'],
]);

/**
 * The parts of a style sheet that are read. Formats in `dxfs` belong to conditions and tables and have their own
 * numbers.
 */
const SECTIONS: ReadonlySet<string> = new Set(['numFmts', 'cellXfs', 'dxfs']);

/** The maximum number of styles and of formats. Excel accepts 65,490 cell styles, and fewer formats. */
const MOST_STYLES = 65_536;

/**
 * Reads the time format of each style, or undefined for plain numbers. Throws `table_too_large` if there are more than
 * 65,536.
 */
export async function readTimeFormats(
  archive: WorkbookArchive,
  part: string,
  signal: AbortSignal,
): Promise<(TimeFormat | undefined)[]> {
  const custom = new Map<number, TimeFormat | undefined>();
  const styles: number[] = [];
  let section = '';
  await readWhole(archive, part, signal, {
    open(name, attributes) {
      if (SECTIONS.has(name)) section = name;
      else if (name === 'numFmt' && section === 'numFmts')
        custom.set(Number(attributes['numFmtId']), timeFormatOf(attributes['formatCode'] ?? ''));
      else if (name === 'xf' && section === 'cellXfs') styles.push(Number(attributes['numFmtId'] ?? 0));
      if (styles.length > MOST_STYLES || custom.size > MOST_STYLES) throw tooMany('cell styles', MOST_STYLES);
    },
    close(name) {
      if (name === section) section = '';
    },
  });
  return styles.map((id) => (custom.has(id) ? custom.get(id) : BUILT_IN.get(id)));
}

/** The longest format code that Excel accepts. */
const MAX_FORMAT_CHARACTERS = 255;

/**
 * Texts, colours, conditions and padding of a format code. A bracket never contains another one, so matching stays
 * linear.
 */
const NOT_PLACES = /"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\][]*\]/gi;

/** The general format. Some programs write its name in their language: `G/通用格式` is Chinese. */
const GENERAL = /general|G\/[^\0-\x7f]+|E[+-]/gi;
const ELAPSED = /\[(?:h+|m+|s+)\]/i;
const LETTERS = /[A-Za-z]+/g;
const PLACES = /^(?:[ymdhsegb]+|[ap]m?)$/i;

/**
 * Returns the time format by the first section of a format code. `m` means minutes beside hours or seconds, and months
 * otherwise. Returns undefined for a code of more than 255 characters.
 */
export function timeFormatOf(formatCode: string): TimeFormat | undefined {
  if (formatCode.length > MAX_FORMAT_CHARACTERS) return undefined;
  const [first = ''] = formatCode.replace(NOT_PLACES, '').replace(GENERAL, '').split(';');
  if (ELAPSED.test(first)) return 'duration';
  // Letters that form a word are not placeholders, such as `Standard` for `General` in German.
  const code = first.replace(LETTERS, (letters) => (PLACES.test(letters) ? letters : ' '));
  const hasTime = /[hs]|AM\/PM|A\/P/i.test(code);
  const hasDate = /[ydeg]|(?:^|[^hs:.])m{3,}/i.test(code.replace(/AM\/PM|A\/P/gi, '')) || (!hasTime && /m/i.test(code));
  if (hasDate) return hasTime ? 'datetime' : 'date';
  return hasTime ? 'time' : undefined;
}
