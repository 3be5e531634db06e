import { Writable } from 'node:stream';

const CR = 0x0d;
const NOTHING = Buffer.alloc(0);

type Done = (error?: Error | null) => void;

/** The characters of boundaries in RFC 2046 section 5.1.1 that every parser reads in the same way. */
const PLAIN_BOUNDARY = /^[\w'()+,\-./:=? ]+$/;

/** At most this many chunks wait here. They are usually 64 KiB long, but a client may send short ones. */
const MAX_WAITING_CHUNKS = 16;

/** Shorter chunks wait until the reader has caught up, because each buffer costs some hundred bytes of memory. */
const SMALL_BYTES = 4096;

/** Receives bytes of a file without the parser. */
export interface FileSink {
  /**
   * Calls `done` when the next chunk may follow. False if earlier bytes are still in the parser, so that this chunk
   * must follow them.
   */
  take(chunk: Buffer, done: () => void): boolean;
  /** Calls `done` when the reader has caught up. Returns false and does nothing if it is not behind. */
  awaitDrain(done: () => void): boolean;
}

/**
 * Passes the body of a form to its parser, except stretches in the middle of a file that contain no boundary. These go
 * directly to the reader of the file. Node's own search for the boundary costs a small part of the parser's, and a
 * large form consists mostly of such stretches.
 */
export class FormFeed extends Writable {
  readonly #parser: Writable;
  /** The bytes before every part: CRLF, two hyphens, the boundary. If undefined, all bytes go through the parser. */
  readonly #delimiter: Buffer | undefined;
  /** The last bytes, if a delimiter may begin there. The parser has them, so the next bytes must follow them. */
  #begun: Buffer = NOTHING;
  #file: FileSink | undefined;

  constructor(parser: Writable, boundary: string) {
    super({ objectMode: true, highWaterMark: MAX_WAITING_CHUNKS });
    this.#parser = parser;
    this.#delimiter = PLAIN_BOUNDARY.test(boundary) ? Buffer.from(`\r\n--${boundary}`) : undefined;
    // Errors are reported by the parser.
    this.on('error', () => undefined);
    parser.once('close', () => this.destroy());
  }

  /** The parser has read the headers of a file. The following bytes up to the next delimiter belong to it. */
  openFile(file: FileSink): void {
    this.#file = file;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (chunk.length < SMALL_BYTES && this.#file?.awaitDrain(() => this.#pass(chunk, done)) === true) return;
    this.#pass(chunk, done);
  }

  override _final(done: Done): void {
    // The parser reports the end of the form.
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

  /** @param last the offset of the last delimiter, negative for none. It ends every file that was opened before it. */
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

/** Returns the bytes at the end that may begin a delimiter. */
function beginningAtEnd(bytes: Buffer, delimiter: Buffer): Buffer {
  const earliest = Math.max(0, bytes.length - delimiter.length + 1);
  for (let at = bytes.indexOf(CR, earliest); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    const end = bytes.subarray(at);
    if (delimiter.subarray(0, end.length).equals(end)) return end;
  }
  return NOTHING;
}
