import type { ByteText } from '../row-source.ts';

const QUOTE = '"';
const LINE_FEED = '\n';
const RETURN = '\r';

/** One record of a text. */
interface CutRecord {
  cells: readonly ByteText[];
  /** The position after its last character. */
  end: number;
  /** The position of the next record, after the line end. */
  next: number;
  /** The number of lines. A record with quoted line ends has more than one. */
  lines: number;
}

/** A piece of a text that starts with a record. */
export interface TextPiece {
  text: ByteText;
  delimiter: string;
  /** True for the last piece of the text. Its last record needs no line end. */
  isLast: boolean;
  /** False if every line ends with a line feed only. */
  hasReturns: boolean;
}

/** Why there is no record: it continues in the next piece, or one of its quotes is never closed. */
type NoRecord = 'incomplete' | 'unclosed';

/**
 * Cuts a text into records according to RFC 4180. For common deviations it follows Python's csv and Excel: a quote
 * inside a cell is an ordinary character, blanks before a quote are ignored, and text after a closing quote belongs to
 * the cell. Only a cell with several lines must be closed properly. Otherwise one unclosed quote would swallow all rows
 * up to the next quote.
 */
export class RecordCutter {
  readonly #piece: TextPiece;
  /** The next position of each special character, or the length of the text if it does not occur again. */
  #quote = -1;
  #delimiter = -1;
  #lineFeed = -1;
  #return = -1;

  constructor(piece: TextPiece) {
    this.#piece = piece;
  }

  /**
   * Returns the record at `start`. Each `start` must be greater than the previous one. After `unclosed` there is no
   * record.
   */
  cut(start: number): CutRecord | NoRecord {
    const { text, delimiter } = this.#piece;
    const end = this.endOfLine(start);
    if (this.#quoteFrom(start) < end) return this.#cutQuoted(start, end);
    if (!this.#isWhole(end)) return 'incomplete';
    return { cells: text.slice(start, end).split(delimiter), end, next: this.afterLineEnd(end), lines: 1 };
  }

  /**
   * Returns the end of the line that contains `from`, ignoring quotes. It is the length of the text if the line does
   * not end.
   */
  endOfLine(from: number): number {
    if (this.#lineFeed < from) this.#lineFeed = this.#find(LINE_FEED, from);
    if (!this.#piece.hasReturns) return this.#lineFeed;
    if (this.#return < from) this.#return = this.#find(RETURN, from);
    return Math.min(this.#lineFeed, this.#return);
  }

  /** Returns the position after a line end of one or two characters. */
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
        if (!isBlank && lines > firstLine) return 'unclosed';
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

  /** Returns the quote that closes the cell at `open`. Two quotes in a row stand for one quote in the cell. */
  #closingQuote(open: number): number | NoRecord {
    const { text, isLast } = this.#piece;
    for (let from = open + 1; ;) {
      const quote = text.indexOf(QUOTE, from);
      if (quote < 0) return isLast ? 'unclosed' : 'incomplete';
      if (quote + 1 === text.length && !isLast) return 'incomplete';
      if (text[quote + 1] !== QUOTE) return quote;
      from = quote + 2;
    }
  }

  /** False if the record continues, or may continue, in the next piece. A line feed may follow its carriage return. */
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
