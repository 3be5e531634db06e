import { CsvError, parse } from 'csv-parse/sync';
import { UnprocessableError } from '../../unprocessable-error.ts';
import type { ByteText, RowSink } from '../row-source.ts';
import { RecordCutter, type CutRecord, type TextPiece } from './record-cutter.ts';
import { splitQuoted } from './split-quoted.ts';

/** How a text is cut into cells, and how long a record may be. */
export interface RecordFormat {
  delimiter: string;
  /** See `TextPiece.hasReturns`. */
  hasReturns: boolean;
  maxLineBytes: number;
}

/** All whole records of a piece. */
interface CutPiece {
  /** Without the blank lines. */
  all: CutRecord[];
  quoted: CutRecord[];
  /** Where the record begins that goes on with the next piece, and in which line. */
  next: number;
  line: number;
  /** True where a record is, or begins to be. */
  isTooLong: boolean;
}

/**
 * Makes rows of the bytes of a text. Most records have no quotes but around whole cells, and are cut where the delimiters stand; those that
 * have others go through csv-parse, all of a chunk together. A row with a quote in the wrong place ends with its line, and
 * is an error of that line alone: else one that is never closed would swallow all that comes after it.
 */
export class RecordReader {
  readonly #format: RecordFormat;
  readonly #sink: RowSink;
  /** What is left of earlier chunks. */
  #waiting: ByteText[] = [];
  #waitingLength = 0;
  /** So much has to be there before another look at it is worth while: a record of many chunks is not to be looked at with each. */
  #wantedLength = 0;
  #line = 1;

  constructor(format: RecordFormat, sink: RowSink) {
    this.#format = format;
    this.#sink = sink;
  }

  /**
   * Hands the rows to the sink that the chunk completes, while it is iterated: it yields whenever the sink is full.
   * Throws `table_line_too_long`, and what the sink throws.
   */
  *feed(chunk: Buffer): Generator<void, void, undefined> {
    this.#waiting.push(chunk.toString('latin1'));
    this.#waitingLength += chunk.length;
    if (this.#waitingLength >= this.#wantedLength) yield* this.#read(false);
  }

  /** As `feed`, for the last row, which may have no line end. */
  *finish(): Generator<void, void, undefined> {
    yield* this.#read(true);
  }

  *#read(isLast: boolean): Generator<void, void, undefined> {
    const piece: TextPiece = { text: this.#waiting.join(''), isLast, hasReturns: this.#format.hasReturns };
    const rest = piece.text.slice((yield* this.#readAll(piece)) ?? (yield* this.#readOneByOne(piece)));
    this.#waiting = [rest];
    this.#waitingLength = rest.length;
    this.#wantedLength = Math.min(2 * rest.length, this.#format.maxLineBytes);
  }

  /** Returns where the record begins that goes on with the next piece; undefined, and nothing is done, where a record is at fault. */
  *#readAll(piece: TextPiece): Generator<void, number | undefined, undefined> {
    const { all, quoted, next, line, isTooLong } = this.#cutAll(piece);
    const cellsOfQuoted = isTooLong ? undefined : this.#readQuoted(piece, quoted);
    if (cellsOfQuoted === undefined) return undefined;
    let index = 0;
    for (const record of all) {
      const cells = record.hasQuotes ? cellsOfQuoted[index++] : this.#split(piece, record);
      if (cells !== undefined) this.#sink.row(cells, record.line);
      if (this.#sink.isFull === true) yield;
    }
    this.#line = line;
    return next;
  }

  #cutAll(piece: TextPiece): CutPiece {
    const cutter = new RecordCutter(piece);
    const found: CutPiece = { all: [], quoted: [], next: 0, line: this.#line, isTooLong: false };
    for (let record = cutter.cut(0, this.#line); record !== undefined; record = cutter.cut(found.next, found.line)) {
      if (record.end > record.start) found.all.push(record);
      if (record.hasQuotes) found.quoted.push(record);
      if (this.#isTooLong(record.start, record.end)) found.isTooLong = true;
      found.next = record.next;
      found.line += record.lines;
    }
    if (this.#isTooLong(found.next, piece.text.length)) found.isTooLong = true;
    return found;
  }

  *#readOneByOne(piece: TextPiece): Generator<void, number, undefined> {
    let next = 0;
    while (next < piece.text.length) {
      const record = new RecordCutter(piece).cut(next, this.#line);
      if (record === undefined && !this.#isTooLong(next, piece.text.length)) break;
      const cells =
        record === undefined || this.#isTooLong(record.start, record.end) ? undefined : this.#cellsOf(piece, record);
      if (record === undefined || cells === undefined) {
        next = this.#skipLine(piece, next);
      } else {
        if (record.end > record.start) this.#sink.row(cells, this.#line);
        this.#line += record.lines;
        next = record.next;
      }
      if (this.#sink.isFull === true) yield;
    }
    return next;
  }

  /** Undefined where a quote is in the wrong place. */
  #cellsOf(piece: TextPiece, record: CutRecord): readonly ByteText[] | undefined {
    return record.hasQuotes ? this.#readQuoted(piece, [record])?.[0] : this.#split(piece, record);
  }

  #split(piece: TextPiece, record: CutRecord): readonly ByteText[] {
    return textOf(piece, record).split(this.#format.delimiter);
  }

  /** The cells of each record; undefined where one is at fault. */
  #readQuoted(piece: TextPiece, records: readonly CutRecord[]): (readonly ByteText[])[] | undefined {
    const split = records.map((record) => splitQuoted(textOf(piece, record), this.#format.delimiter));
    const parsed = this.#parse(
      piece,
      records.filter((_, index) => split[index] === undefined),
    );
    let index = 0;
    return parsed && split.map((cells) => cells ?? parsed[index++] ?? []);
  }

  /**
   * The cells of each record, undefined where one is at fault. What is right as a whole is right in each of its parts:
   * all records but the last of a text have an even number of quotes.
   */
  #parse(piece: TextPiece, records: readonly CutRecord[]): ByteText[][] | undefined {
    if (records.length === 0) return [];
    const joined = records.map((record) => textOf(piece, record)).join('\n');
    const options = {
      delimiter: this.#format.delimiter,
      encoding: 'latin1',
      record_delimiter: '\n',
      relax_column_count: true,
    } as const;
    try {
      const rows = parse(Buffer.from(joined, 'latin1'), options);
      return rows.length === records.length ? rows : undefined;
    } catch (error) {
      if (error instanceof CsvError) return undefined;
      throw error;
    }
  }

  /** Passes over the line of a fault, and returns where the next one begins. */
  #skipLine(piece: TextPiece, start: number): number {
    const cutter = new RecordCutter(piece);
    const end = cutter.endOfLine(start);
    if (this.#isTooLong(start, end)) throw tooLong(this.#line, this.#format.maxLineBytes);
    this.#sink.error(this.#line, 'stray_quote', 'A quote stands where none may be, or is never closed.');
    this.#line += 1;
    return cutter.afterLineEnd(end);
  }

  #isTooLong(start: number, end: number): boolean {
    return end - start > this.#format.maxLineBytes;
  }
}

function textOf({ text }: TextPiece, { start, end }: CutRecord): ByteText {
  return text.slice(start, end);
}

function tooLong(line: number, maxBytes: number): UnprocessableError {
  return new UnprocessableError(
    'table_line_too_long',
    `Line ${line} has more than ${maxBytes} bytes. Is it the right delimiter, and a table at all?`,
  );
}
