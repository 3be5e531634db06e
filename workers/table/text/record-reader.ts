import { UnprocessableError } from '../../unprocessable-error.ts';
import type { ByteText, RowSink } from '../row-source.ts';
import { RecordCutter, type TextPiece } from './record-cutter.ts';

/** How a text is cut into cells, and how long a record may be. */
export interface RecordFormat {
  delimiter: string;
  /** See `TextPiece.hasReturns`. */
  hasReturns: boolean;
  maxLineBytes: number;
  /** Drops the blanks at the beginning of cells. Default false. */
  dropsBlanks?: boolean;
  /** Number of the first line; default 1. */
  firstLine?: number;
}

/**
 * Makes rows of the bytes of a text. A row with a quote that is never closed ends with its line, and is an error of that
 * line alone: else it would swallow all that comes after it.
 */
export class RecordReader {
  readonly #format: RecordFormat;
  readonly #sink: RowSink;
  /** What is left of earlier chunks. */
  #waiting: ByteText[] = [];
  #waitingLength = 0;
  /** So much has to be there before another look at it is worth while: a record of many chunks is not to be looked at with each. */
  #wantedLength = 0;
  #line: number;

  constructor(format: RecordFormat, sink: RowSink) {
    this.#format = format;
    this.#sink = sink;
    this.#line = format.firstLine ?? 1;
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
    const { delimiter, hasReturns, maxLineBytes } = this.#format;
    const piece: TextPiece = { text: this.#waiting.join(''), delimiter, isLast, hasReturns };
    const rest = piece.text.slice(yield* this.#readAll(piece));
    this.#waiting = [rest];
    this.#waitingLength = rest.length;
    this.#wantedLength = Math.min(2 * rest.length, maxLineBytes);
  }

  /** Returns where the record begins that goes on with the next piece. */
  *#readAll(piece: TextPiece): Generator<void, number, undefined> {
    let cutter = new RecordCutter(piece);
    let next = 0;
    while (next < piece.text.length) {
      const record = cutter.cut(next);
      if (record === 'incomplete' && !this.#isTooLong(next, piece.text.length)) break;
      if (typeof record === 'string' || this.#isTooLong(next, record.end)) {
        // It goes back to an earlier place than a cutter has seen.
        cutter = new RecordCutter(piece);
        next = this.#skipLine(cutter, next);
      } else {
        if (record.end > next) this.#sink.row(this.#trimmed(record.cells), this.#line);
        this.#line += record.lines;
        next = record.next;
      }
      if (this.#sink.isFull === true) yield;
    }
    return next;
  }

  #trimmed(cells: readonly ByteText[]): readonly ByteText[] {
    return this.#format.dropsBlanks === true ? cells.map((cell) => cell.trimStart()) : cells;
  }

  /** Skips the line of a fault, and returns where the next one begins. */
  #skipLine(cutter: RecordCutter, start: number): number {
    const end = cutter.endOfLine(start);
    if (this.#isTooLong(start, end)) throw tooLong(this.#line, this.#format.maxLineBytes);
    this.#sink.error(this.#line, 'stray_quote', 'A quote opens a cell and is never closed.');
    this.#line += 1;
    return cutter.afterLineEnd(end);
  }

  #isTooLong(start: number, end: number): boolean {
    return end - start > this.#format.maxLineBytes;
  }
}

function tooLong(line: number, maxBytes: number): UnprocessableError {
  return new UnprocessableError(
    'table_line_too_long',
    `Line ${line} has more than ${maxBytes} bytes. Is it the right delimiter, and a table at all?`,
  );
}
