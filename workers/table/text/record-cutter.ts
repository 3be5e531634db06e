import type { ByteText } from '../row-source.ts';

const QUOTE = '"';
const LINE_FEED = '\n';
const RETURN = '\r';

/** One record as it stands in a text. */
export interface CutRecord {
  start: number;
  /** Behind its last character. */
  end: number;
  /** Where the next one begins: behind the line end. */
  next: number;
  hasQuotes: boolean;
  /** In which it begins. */
  line: number;
  /** How many it has; more than one where quotes hold them together. */
  lines: number;
}

/** A piece of a text, beginning with a record. */
export interface TextPiece {
  text: ByteText;
  /** True where the whole text ends with it, so that its last record needs no line end. */
  isLast: boolean;
  /** False where every line ends with a line feed alone. */
  hasReturns: boolean;
}

/**
 * Cuts a text into records: a line each, or several lines that quotes hold together. Quotes come in pairs, and where
 * their number is odd the line end stands between quotes. Whether they stand where they may is csv-parse's affair.
 */
export class RecordCutter {
  readonly #piece: TextPiece;
  /** The next ones from wherever was looked last; the length of the text where there is none. */
  #quote = -1;
  #lineFeed = -1;
  #return = -1;

  constructor(piece: TextPiece) {
    this.#piece = piece;
  }

  /** The record that begins at `start`; undefined where there is no whole one. Each `start` is greater than the one before. */
  cut(start: number, line: number): CutRecord | undefined {
    const { text, isLast } = this.#piece;
    if (start >= text.length) return undefined;
    let end = this.endOfLine(start);
    let quote = this.#quoteFrom(start);
    const hasQuotes = quote < end;
    let lines = 1;
    for (let isOpen = false; ; lines += 1) {
      for (; quote < end; quote = this.#quoteFrom(quote + 1)) isOpen = !isOpen;
      if (end >= text.length && !isLast) return undefined;
      if (!isOpen || end >= text.length) break;
      end = this.endOfLine(this.afterLineEnd(end));
    }
    // A line feed may follow with the next piece.
    if (!isLast && end + 1 === text.length && text[end] === RETURN) return undefined;
    return { start, end, next: this.afterLineEnd(end), hasQuotes, line, lines };
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

  #quoteFrom(from: number): number {
    if (this.#quote < from) this.#quote = this.#find(QUOTE, from);
    return this.#quote;
  }

  #find(sign: string, from: number): number {
    const found = this.#piece.text.indexOf(sign, from);
    return found < 0 ? this.#piece.text.length : found;
  }
}
