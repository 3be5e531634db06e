import type { Sample } from './kind.ts';
import { isOtherLanguage } from './other-text.ts';
import { decodeHead, sniffEncoding, type EncodedText } from './text-encoding.ts';

/** Encoding and delimiter of a text. */
interface DelimitedText extends EncodedText {
  delimiter: string;
}

/** Delimiters in the order of preference. The comma is last, because decimals and prose contain it too. */
const CANDIDATES: readonly string[] = ['\t', ';', '|', ','];

/** Least share of lines that must have the most frequent number of cells. */
const LEAST_AGREEMENT = 0.6;

/** A table below other lines must have this many columns, and this many lines including its header. */
const LEAST_AT_END = 4;

/** A cell with this many words is wordy. If more than a share of the cells is wordy, the text is prose. */
const WORDS_OF_PROSE = 3;
const MOST_WORDY = 0.6;
const MOST_WORDY_OF_FEW_LINES = 0.25;
const FEW_LINES = 2;

/** If the first line does not end within the sample, it must have at least this many cells. */
const LEAST_CELLS_OF_CUT_LINE = 20;

/** Finds the delimiter of a table from its beginning. Undefined if the text is not a table, or has only one column. */
export function sniffDelimitedText({ head, isWhole }: Pick<Sample, 'head' | 'isWhole'>): DelimitedText | undefined {
  const encoded = sniffEncoding(head);
  if (encoded === undefined) return undefined;
  const text = decodeHead(head, encoded);
  const separator = separatorLine(text);
  if (separator !== undefined) return { ...encoded, delimiter: separator.delimiter };
  if (isOtherLanguage(text)) return undefined;
  let best: { delimiter: string; agreement: number } | undefined;
  for (const delimiter of CANDIDATES) {
    const agreement = agreementOf(linesOf(text, delimiter, isWhole));
    if (agreement > (best?.agreement ?? 0)) best = { delimiter, agreement };
  }
  return best === undefined ? undefined : { ...encoded, delimiter: best.delimiter };
}

/** A first line such as `sep=;`, which Excel reads as the delimiter. */
interface SeparatorLine {
  delimiter: string;
  /** Length, including the line end. */
  characters: number;
}

/** Returns the separator line of a text. Undefined if it does not begin with one. */
export function separatorLine(text: string): SeparatorLine | undefined {
  const [whole, delimiter] = /^"?sep=([\t !#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~])"?(?:\r\n?|\n)/i.exec(text) ?? [];
  return whole === undefined || delimiter === undefined ? undefined : { delimiter, characters: whole.length };
}

/** True if a space follows every delimiter of a text. Then the spaces are not a part of the cells. */
export function hasBlanksBehind(text: string, delimiter: string): boolean {
  const later = linesOf(text, delimiter, false).flatMap(({ cells, isComplete }) => (isComplete ? cells.slice(1) : []));
  return later.some((cell) => cell.startsWith(' ')) && later.every((cell) => cell === '' || cell.startsWith(' '));
}

/** One record, split at a delimiter. */
interface SampledLine {
  cells: string[];
  /** Number of cells that begin with a quote. In prose a space precedes a quote. */
  quoted: number;
  /** False for the last record if it may continue after the sample. */
  isComplete: boolean;
}

/** Splits a text into records. A record is a line, or several lines that quotes join. Blank lines are skipped. */
function linesOf(text: string, delimiter: string, isWhole: boolean, knowsQuotes = true): SampledLine[] {
  const lines: SampledLine[] = [];
  let line: SampledLine = { cells: [], quoted: 0, isComplete: false };
  let start = 0;
  let isQuoted = false;
  const endCell = (at: number): void => {
    line.cells.push(text.slice(start, at));
    start = at + 1;
  };
  const endLine = (isComplete: boolean): void => {
    if (line.cells.some((cell) => cell.trim() !== '')) lines.push({ ...line, isComplete });
    line = { cells: [], quoted: 0, isComplete: false };
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (knowsQuotes && character === '"' && (isQuoted || text.slice(start, at).trim() === '' || text[at - 1] === '"')) {
      if (at === start) line.quoted += 1;
      isQuoted = !isQuoted;
    } else if (!isQuoted && character === delimiter) endCell(at);
    else if (!isQuoted && (character === '\n' || character === '\r')) {
      endCell(at);
      endLine(true);
    }
  }
  // A quote that is never closed is an ordinary character.
  if (isWhole && isQuoted) return linesOf(text, delimiter, isWhole, false);
  endCell(text.length);
  endLine(isWhole);
  return lines;
}

/** Returns the share of lines with the most frequent number of cells. 0 if this delimiter makes no table. */
function agreementOf(lines: readonly SampledLine[]): number {
  const complete = lines.filter(({ isComplete }) => isComplete);
  if (complete.length < 2) return agreementWhenCut(lines, complete);
  const agreement = shareOf(complete);
  if (agreement > 0 || complete.length < lines.length) return agreement;
  return shareOf(tableAtEnd(complete)) === 1 ? LEAST_AGREEMENT : 0;
}

/** Returns the last lines of a whole text if they may be a small table below the lines of an account or a report. */
function tableAtEnd(lines: readonly SampledLine[]): readonly SampledLine[] {
  const columns = lines.at(-1)?.cells.length ?? 0;
  const table = lines.slice(lines.findLastIndex(({ cells }) => cells.length !== columns) + 1);
  const isTable = columns >= LEAST_AT_END && table.length >= LEAST_AT_END && 3 * table.length >= lines.length;
  return isTable ? table : [];
}

function shareOf(complete: readonly SampledLine[]): number {
  const columns = commonest(complete.map(({ cells }) => cells.length));
  if (columns < 2 || isListOfOne(complete, columns) || isProse(complete)) return 0;
  const agreeing = complete.filter(({ cells }) => cells.length === columns).length / complete.length;
  return agreeing >= LEAST_AGREEMENT ? agreeing : 0;
}

/** Does the same as `agreementOf` for a sample that ends within its first or second line. */
function agreementWhenCut(lines: readonly SampledLine[], complete: readonly SampledLine[]): number {
  const [cut] = lines.filter(({ isComplete }) => !isComplete);
  if (cut === undefined || isProse(lines)) return 0;
  const [first] = complete;
  const isTable =
    first === undefined
      ? cut.cells.length >= LEAST_CELLS_OF_CUT_LINE
      : first.cells.length >= 2 && cut.cells.length <= first.cells.length;
  return isTable ? 1 : 0;
}

/** True if every line begins or ends with its only delimiter, as in indented text and code. */
function isListOfOne(lines: readonly SampledLine[], columns: number): boolean {
  if (columns > 2) return false;
  const isEmptyAt = (index: number): boolean =>
    lines.every(({ cells }) => cells.length < 2 || cells.at(index)?.trim() === '');
  return isEmptyAt(0) || isEmptyAt(-1);
}

function isProse(lines: readonly SampledLine[]): boolean {
  const cells = lines.flatMap((line) => line.cells);
  const wordy = cells.filter(
    (cell) => !cell.startsWith('"') && cell.trim().split(/\s+/).length >= WORDS_OF_PROSE,
  ).length;
  const isWordy = wordy / cells.length > (lines.length > FEW_LINES ? MOST_WORDY : MOST_WORDY_OF_FEW_LINES);
  return (isWordy && !isTight(lines)) || isPunctuated(lines);
}

/** True for three or more lines with the same number of cells and without spaces after delimiters, which prose has. */
function isTight(lines: readonly SampledLine[]): boolean {
  const complete = lines.filter(({ isComplete }) => isComplete);
  const [first] = complete;
  return (
    complete.length > FEW_LINES &&
    complete.every(
      ({ cells }) => cells.length === first?.cells.length && cells.slice(1).every((cell) => !/^\s/.test(cell)),
    )
  );
}

const NUMBER = /^\s*[-+]?\d+(?:[.,]\d+)?\s*$/;

const END_OF_SENTENCE = /[.!?…]["”’)]?\s*$/;

/** True for sentences: a space after each comma and a full stop at the end. */
function isPunctuated(lines: readonly SampledLine[]): boolean {
  if (lines.some(({ quoted, cells }) => quoted > 0 || (cells.length > 1 && cells.every((cell) => NUMBER.test(cell)))))
    return false;
  const later = lines.flatMap(({ cells }) => cells.slice(1));
  const spaced = later.filter((cell) => cell.startsWith(' ') || cell.trim() === '').length;
  if (later.length === 0 || spaced < later.length) return false;
  return lines.length <= FEW_LINES || lines.some(({ cells }) => END_OF_SENTENCE.test(cells.at(-1) ?? ''));
}

/** Returns the most frequent value: the first one if there are several. */
function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = 0;
  for (const [value, count] of counts) if (count > (counts.get(best) ?? 0)) best = value;
  return best;
}
