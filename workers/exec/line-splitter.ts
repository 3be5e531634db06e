/** A line of more bytes is skipped. The largest result fits into a line. */
const MAX_LINE_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;

/** Splits the output of a program into lines. A line that is too long is reported as undefined. */
export class LineSplitter {
  readonly #onLine: (line: string | undefined) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(onLine: (line: string | undefined) => void) {
    this.#onLine = onLine;
  }

  add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      this.#flush();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** Call it at the end. The last line may have no line end. */
  end(): void {
    if (this.#bytes > 0) this.#flush();
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= MAX_LINE_BYTES) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  #flush(): void {
    const line = this.#bytes <= MAX_LINE_BYTES ? Buffer.concat(this.#pieces).toString('utf8') : undefined;
    this.#pieces = [];
    this.#bytes = 0;
    this.#onLine(line);
  }
}
