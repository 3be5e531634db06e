import type { ByteText } from '../row-source.ts';

const QUOTE = '"';
const LINE_FEED = '\n';
const RETURN = '\r';

/** One record of a text. */
export interface CutRecord {
  cells: readonly ByteText[];
  /** Behind its last character. */
  end: number;
  /** Where the next one begins: behind the line end. */
  next: number;
  /** How many it has; more than one where quotes hold them together. */
  lines: number;
}

/** A piece of a text, beginning with a record. */
export interface TextPiece {
  text: ByteText;
  delimiter: string;
  /** True where the whole text ends with it, so that its last record needs no line end. */
  isLast: boolean;
  /** False where every line ends with a line feed alone. */
  hasReturns: boolean;
}

/** Why there is no record: it goes on with the next piece, or a quote in it is never closed. */
export type NoRecord = 'incomplete' | 'stray';

/**
 * Cuts a text into records as RFC 4180 has it, and where people depart from it as Python's csv and Excel do: a quote
 * within a cell is a character like others, blanks before a quote do not count, and text behind a closing quote belongs
 * to the cell. Only a cell that goes on over several lines has to be closed properly: else one stray quote would swallow
 * all rows up to the next.
 */
export class RecordCutter {
  readonly #piece: TextPiece;
  /** The next ones from wherever was looked last; the length of the text where there is none. */
  #quote = -1;
  #delimiter = -1;
  #lineFeed = -1;
  #return = -1;

  constructor(piece: TextPiece) {
    this.#piece = piece;
  }

  /** The record that begins at `start`. Each `start` is greater than the one before, and none comes after `stray`. */
  cut(start: number): CutRecord | NoRecord {
    const { text, delimiter } = this.#piece;
    const end = this.endOfLine(start);
    if (this.#quoteFrom(start) < end) return this.#cutQuoted(start, end);
    if (!this.#isWhole(end)) return 'incomplete';
    return { cells: text.slice(start, end).split(delimiter), end, next: this.afterLineEnd(end), lines: 1 };
  }

  /** Where the line ends that goes on at `from`, whatever its quotes; the length of the text where it does not end. */
  endOfLine(from: number): number {
    if (this.#lineFeed < from) this.#lineFeed = this.#find(LINE_FEED, from);
    if (!this.#piece.hasReturns) return this.#lineFeed;
    if (this.#return < from) this.#return = this.#find(RETURN, from);
    return Math.min(this.#lineFeed, this.#return);
  }

  /** Behind the one or two characters of a line end. */
  afterLineEnd(end: number): number {
    const { text } = this.#piece;
    return text[end] === RETURN && text[end + 1] === LINE_FEED ? end + 2 : end + 1;
  }

  #cutQuoted(start: number, endOfFirstLine: number): CutRecord | NoRecord {
    const { text } = this.#piece;
    const cells: ByteText[] = [];
    let end = endOfFirstLine;
    let lines = 1;
    for (let at = start; ; at += 1) {
      const open = this.#afterBlanks(at, end);
      if (open < end && text[open] === QUOTE) {
        const closed = this.#closingQuote(open);
        if (typeof closed === 'string') return closed;
        const firstLine = lines;
        for (; end < closed; lines += 1) end = this.endOfLine(this.afterLineEnd(end));
        at = Math.min(this.#delimiterFrom(closed + 1), end);
        const behind = text.slice(closed + 1, at);
        const isBlank = behind.trim() === '';
        if (!isBlank && lines > firstLine) return 'stray';
        cells.push(unescaped(text.slice(open + 1, closed)) + (isBlank ? '' : behind));
      } else {
        const cellStart = at;
        at = Math.min(this.#delimiterFrom(at), end);
        cells.push(text.slice(cellStart, at));
      }
      if (at >= end) break;
    }
    if (!this.#isWhole(end)) return 'incomplete';
    return { cells, end, next: this.afterLineEnd(end), lines };
  }

  #afterBlanks(start: number, end: number): number {
    const { text, delimiter } = this.#piece;
    let at = start;
    while (delimiter !== ' ' && at < end && text[at] === ' ') at += 1;
    return at;
  }

  /** The one that closes the cell which begins at `open`: two in a row stand for one within it. */
  #closingQuote(open: number): number | NoRecord {
    const { text, isLast } = this.#piece;
    for (let from = open + 1; ;) {
      const quote = text.indexOf(QUOTE, from);
      if (quote < 0) return isLast ? 'stray' : 'incomplete';
      if (quote + 1 === text.length && !isLast) return 'incomplete';
      if (text[quote + 1] !== QUOTE) return quote;
      from = quote + 2;
    }
  }

  /** False where the record goes on, or may, with the next piece: a line feed may follow its return. */
  #isWhole(end: number): boolean {
    const { text, isLast } = this.#piece;
    return isLast || (end < text.length && !(end + 1 === text.length && text[end] === RETURN));
  }

  #quoteFrom(from: number): number {
    if (this.#quote < from) this.#quote = this.#find(QUOTE, from);
    return this.#quote;
  }

  #delimiterFrom(from: number): number {
    if (this.#delimiter < from) this.#delimiter = this.#find(this.#piece.delimiter, from);
    return this.#delimiter;
  }

  #find(sign: string, from: number): number {
    const found = this.#piece.text.indexOf(sign, from);
    return found < 0 ? this.#piece.text.length : found;
  }
}

function unescaped(cell: ByteText): ByteText {
  return cell.includes(QUOTE) ? cell.replaceAll('""', QUOTE) : cell;
}
