import { Writable } from 'node:stream';

const CR = 0x0d;
const NOTHING = Buffer.alloc(0);

type Done = (error?: Error | null) => void;

/** The characters of which RFC 2046 section 5.1.1 makes boundaries; those that a parser might read in two ways are not among them. */
const PLAIN_BOUNDARY = /^[\w'()+,\-./:=? ]+$/;

/** As many chunks wait here, of 64 KiB each where they come fast. Counted and not measured: a sender may make them as short as it likes. */
const MAX_WAITING_CHUNKS = 16;

/** The parser holds up chunks below this by their bytes, and each takes some hundred of its own. */
const SMALL_BYTES = 4096;

/** Where the bytes of a file go that need no parser. */
export interface FileSink {
  /** Calls `done` when the next may come. False where they must take the way of the bytes before them, which are not read yet. */
  take(chunk: Buffer, done: () => void): boolean;
  /** Calls `done` when the reader has caught up. False, and nothing done, where it is not behind. */
  awaitDrain(done: () => void): boolean;
}

/**
 * The way of a form's body into its parser, and past it: a stretch in the middle of a file that holds no boundary goes
 * to the file's reader as it is. Boundaries are searched for by Node's own search, which costs a small part of what the
 * parser's does, and most of a large form is such stretches.
 */
export class FormFeed extends Writable {
  readonly #parser: Writable;
  /** What begins and ends every part: CRLF, two hyphens, the boundary. Undefined sends everything through the parser. */
  readonly #delimiter: Buffer | undefined;
  /** The last bytes where they may be the beginning of a delimiter: the parser holds them back, so the next ones go to it too. */
  #begun: Buffer = NOTHING;
  #file: FileSink | undefined;

  constructor(parser: Writable, boundary: string) {
    super({ objectMode: true, highWaterMark: MAX_WAITING_CHUNKS });
    this.#parser = parser;
    this.#delimiter = PLAIN_BOUNDARY.test(boundary) ? Buffer.from(`\r\n--${boundary}`) : undefined;
    // Told to whoever listens to the parser.
    this.on('error', () => undefined);
    parser.once('close', () => this.destroy());
  }

  /** The parser has come to a file: what comes after its head is the file's, up to the next delimiter. */
  openFile(file: FileSink): void {
    this.#file = file;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (chunk.length < SMALL_BYTES && this.#file?.awaitDrain(() => this.#pass(chunk, done)) === true) return;
    this.#pass(chunk, done);
  }

  override _final(done: Done): void {
    // How it ends, the parser tells itself.
    this.#parser.end();
    done();
  }

  #pass(chunk: Buffer, done: Done): void {
    if (this.#delimiter === undefined) this.#parse(chunk, done);
    else this.#split(chunk, this.#delimiter, done);
  }

  #split(chunk: Buffer, delimiter: Buffer, done: Done): void {
    const givenBytes = this.#begun.length;
    const bytes = givenBytes === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    const first = bytes.indexOf(delimiter);
    const last = first < 0 ? -1 : bytes.lastIndexOf(delimiter);
    this.#begun = beginningAtEnd(bytes, delimiter);
    const end = first < 0 ? bytes.length - this.#begun.length : first;
    if (
      givenBytes === 0 &&
      this.#file?.take(bytes.subarray(0, end), () => this.#parseFrom(end, bytes, last, done)) === true
    )
      return;
    this.#parseFrom(givenBytes, bytes, last, done);
  }

  /** @param last where the last delimiter is, negative for none; a file that is opened by what comes before it is over with it. */
  #parseFrom(start: number, bytes: Buffer, last: number, done: Done): void {
    if (last < 0) return this.#parse(bytes.subarray(start), done);
    const middle = Math.max(start, last);
    this.#parse(bytes.subarray(start, middle), (error) => {
      if (error) return done(error);
      this.#file = undefined;
      this.#parse(bytes.subarray(middle), done);
    });
  }

  #parse(bytes: Buffer, done: Done): void {
    if (bytes.length === 0) done();
    else this.#parser.write(bytes, done);
  }
}

/** Those bytes at the end that are the beginning of a delimiter, cut there. */
function beginningAtEnd(bytes: Buffer, delimiter: Buffer): Buffer {
  const earliest = Math.max(0, bytes.length - delimiter.length + 1);
  for (let at = bytes.indexOf(CR, earliest); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    const end = bytes.subarray(at);
    if (delimiter.subarray(0, end.length).equals(end)) return end;
  }
  return NOTHING;
}
