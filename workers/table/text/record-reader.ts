import { UnprocessableError } from '../../unprocessable-error.ts';
import type { ByteText, RowSink } from '../row-source.ts';
import { RecordCutter, type TextPiece } from './record-cutter.ts';

/** How a text is cut into cells, and the longest record. */
interface RecordFormat {
  delimiter: string;
  /** The same as in `TextPiece.hasReturns`. */
  hasReturns: boolean;
  maxLineBytes: number;
  /** Removes blanks at the start of cells. Default: false. */
  dropsBlanks?: boolean;
  /** The number of the first line. Default: 1. */
  firstLine?: number;
}

/**
 * Converts the bytes of a text to rows. A quote that is never closed is an error of its line only. Otherwise it would
 * swallow all following rows.
 */
export class RecordReader {
  readonly #format: RecordFormat;
  readonly #sink: RowSink;
  /** The rest of earlier chunks. */
  #waiting: ByteText[] = [];
  #waitingLength = 0;
  /**
   * The record is read again when this many bytes are there, so that a record of many chunks is not scanned with each
   * chunk.
   */
  #wantedLength = 0;
  #line: number;

  constructor(format: RecordFormat, sink: RowSink) {
    this.#format = format;
    this.#sink = sink;
    this.#line = format.firstLine ?? 1;
  }

  /**
   * Passes the rows that the chunk completes to the sink, while it is iterated. It yields whenever the sink is full.
   * Throws `table_line_too_long`, and any error of the sink.
   */
  *feed(chunk: Buffer): Generator<void, void, undefined> {
    this.#waiting.push(chunk.toString('latin1'));
    this.#waitingLength += chunk.length;
    if (this.#waitingLength >= this.#wantedLength) yield* this.#read(false);
  }

  /** Like `feed`, for the last row, which may have no line end. */
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

  /** Returns the start of the record that continues in the next piece. */
  *#readAll(piece: TextPiece): Generator<void, number, undefined> {
    let cutter = new RecordCutter(piece);
    let next = 0;
    while (next < piece.text.length) {
      const record = cutter.cut(next);
      if (record === 'incomplete' && !this.#isTooLong(next, piece.text.length)) break;
      if (typeof record === 'string' || this.#isTooLong(next, record.end)) {
        // A cutter cannot go back to an earlier position.
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

  /** Skips a faulty line and returns the start of the next one. */
  #skipLine(cutter: RecordCutter, start: number): number {
    const end = cutter.endOfLine(start);
    if (this.#isTooLong(start, end)) throw tooLong(this.#line, this.#format.maxLineBytes);
    this.#sink.error(this.#line, 'stray_quote', 'A quote at the start of a cell is never closed.');
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
    `Line ${line} has more than ${maxBytes} bytes. Check that the file is a table, and set the option delimiter.`,
  );
}
