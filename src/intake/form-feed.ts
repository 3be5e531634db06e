import { Writable } from 'node:stream';
import { asFormError, boundaryInContent, malformedHead } from './form-errors.ts';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DASH = 0x2d;
const NOTHING = Buffer.alloc(0);
const LINE_END = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');

/** Maximum size of a part's headers. Node has the same limit for the headers of a request. */
const MAX_HEAD_BYTES = 16_384;

type Done = (error?: Error | null) => void;

/** At most this many chunks wait here. They are usually 64 KiB long, but a client may send short ones. */
const MAX_WAITING_CHUNKS = 16;

/** Shorter chunks wait until the reader has caught up, because each buffer costs some hundred bytes of memory. */
const SMALL_BYTES = 4096;

/** Receives bytes of a file without the parser. */
interface FileSink {
  /**
   * Calls `done` when the next chunk may follow. Returns false if earlier bytes are still in the parser. This chunk
   * must then go through the parser too.
   */
  take(chunk: Buffer, done: () => void): boolean;
  /** Calls `done` when the reader has caught up. Returns false and does nothing if it is not behind. */
  awaitDrain(done: () => void): boolean;
}

/**
 * Splits the body of a form at its delimiters. The parser gets a head that it cannot misread for each part, because it
 * skips parts that it does not understand without an event. The content of a file goes directly to its reader if
 * possible, because Node's own search for the boundary takes a small part of the parser's time.
 */
export class FormFeed extends Writable {
  readonly #parser: Writable;
  readonly #readHead: (block: Buffer) => string;
  /** The bytes before every part: CRLF, two hyphens, the boundary. */
  readonly #delimiter: Buffer;
  /** Bytes that cannot be split before more follow: a delimiter that may begin at the end, or an incomplete head. */
  #held: Buffer = LINE_END;
  #state: 'content' | 'head' | 'epilogue' = 'content';
  #file: FileSink | undefined;
  /** True if the parser keeps the last bytes, because a delimiter may begin there. The next bytes must follow them. */
  #isParserBehind = false;

  /**
   * @param readHead reads the header lines of a part and returns the lines for the parser. If it throws, the parser is
   * destroyed with this error.
   */
  constructor(parser: Writable, boundary: string, readHead: (block: Buffer) => string) {
    super({ objectMode: true, highWaterMark: MAX_WAITING_CHUNKS });
    this.#parser = parser;
    this.#readHead = readHead;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    // Errors are reported by the parser.
    this.on('error', () => undefined);
    parser.once('close', () => this.destroy());
  }

  /** Call it when the parser has read the head of a file. The bytes up to the next delimiter belong to the file. */
  openFile(file: FileSink): void {
    this.#file = file;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (chunk.length < SMALL_BYTES && this.#file?.awaitDrain(() => this.#add(chunk, done)) === true) return;
    this.#add(chunk, done);
  }

  override _final(done: Done): void {
    // Without a closing delimiter the form is incomplete, which the parser reports.
    const isClosing = this.#state === 'head' && /^--[ \t]*$/.test(this.#held.toString('latin1'));
    this.#parser.end(isClosing ? '--' : undefined);
    done();
  }

  #add(chunk: Buffer, done: Done): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    this.#split(bytes, done);
  }

  #split(bytes: Buffer, done: Done): void {
    if (this.#state === 'epilogue' || bytes.length === 0) done();
    else if (this.#state === 'head') this.#splitHead(bytes, done);
    else this.#splitContent(bytes, done);
  }

  #splitContent(bytes: Buffer, done: Done): void {
    const found = bytes.indexOf(this.#delimiter);
    const end = found < 0 ? bytes.length - lengthOfBegun(bytes, this.#delimiter) : found;
    this.#pass(bytes.subarray(0, end), (error) => {
      if (error) return done(error);
      if (found >= 0) return this.#passDelimiter(bytes.subarray(found), done);
      // The rest is copied, because the chunk is much longer.
      if (end < bytes.length) this.#held = Buffer.from(bytes.subarray(end));
      done();
    });
  }

  #pass(content: Buffer, done: Done): void {
    if (content.length === 0) return done();
    if (!this.#isParserBehind && this.#file?.take(content, done) === true) return;
    this.#isParserBehind = lengthOfBegun(content, this.#delimiter) > 0;
    this.#parser.write(content, done);
  }

  /** @param bytes begin with a delimiter. */
  #passDelimiter(bytes: Buffer, done: Done): void {
    const end = this.#delimiter.length;
    this.#parser.write(bytes.subarray(0, end), (error) => {
      if (error) return done(error);
      // The parser may have opened a file without content only now.
      this.#file = undefined;
      this.#state = 'head';
      this.#split(bytes.subarray(end), done);
    });
  }

  #splitHead(bytes: Buffer, done: Done): void {
    const head = findHead(bytes, this.#delimiter);
    if (head === 'incomplete') {
      this.#held = bytes;
      done();
    } else if (head === 'malformed') this.#reject(malformedHead());
    else if (head === 'no head') this.#reject(boundaryInContent());
    else if (head === 'closing') {
      this.#state = 'epilogue';
      this.#parser.write('--', done);
    } else if (head.block === undefined) this.#passDelimiter(bytes.subarray(head.end), done);
    else this.#openPart(head.block, bytes.subarray(head.end), done);
  }

  #openPart(block: Buffer, rest: Buffer, done: Done): void {
    let head: Buffer;
    try {
      head = Buffer.concat([LINE_END, Buffer.from(this.#readHead(block), 'latin1'), HEAD_END]);
    } catch (error) {
      return this.#reject(error);
    }
    this.#state = 'content';
    this.#parser.write(head, (error) => (error ? done(error) : this.#split(rest, done)));
  }

  /** Ends the parser with an error. Its end also destroys this stream, so no callback follows. */
  #reject(error: unknown): void {
    this.#parser.destroy(asFormError(error));
  }
}

/** The header lines after a delimiter, and the offset of the bytes after them. */
interface FoundHead {
  /** Undefined if another delimiter follows directly. */
  block: Buffer | undefined;
  end: number;
}

/**
 * Finds the head after a delimiter. Blanks and then a line break may follow the boundary. No other line of a part may
 * begin with the delimiter (RFC 2046 section 5.1.1).
 */
function findHead(bytes: Buffer, delimiter: Buffer): FoundHead | 'incomplete' | 'closing' | 'malformed' | 'no head' {
  if (bytes[0] === DASH) return findClosing(bytes);
  const lineEnd = afterBlanks(bytes, 0);
  const lineBreak = bytes.subarray(lineEnd, lineEnd + LINE_END.length);
  if (!LINE_END.subarray(0, lineBreak.length).equals(lineBreak)) return 'no head';
  if (startsAt(bytes, lineEnd, delimiter) === true) return { block: undefined, end: lineEnd };
  const end = bytes.subarray(0, lineEnd + MAX_HEAD_BYTES).indexOf(HEAD_END, lineEnd);
  const head = bytes.subarray(lineEnd, end < 0 ? lineEnd + MAX_HEAD_BYTES : end);
  if (head.includes(delimiter)) return 'malformed';
  if (end < 0) return head.length < MAX_HEAD_BYTES ? 'incomplete' : 'malformed';
  // A part without content may end with its headers: the delimiter begins with the second line break then.
  const isEmpty = startsAt(bytes, end + LINE_END.length, delimiter);
  if (isEmpty === undefined) return 'incomplete';
  return { block: head.subarray(LINE_END.length), end: end + (isEmpty ? LINE_END.length : HEAD_END.length) };
}

/** Decides whether bytes are the closing delimiter. The end of the line or of the body must follow it. */
function findClosing(bytes: Buffer): 'incomplete' | 'closing' | 'no head' {
  if (bytes.length > 1 && bytes[1] !== DASH) return 'no head';
  const end = bytes[afterBlanks(bytes, 2)];
  if (end === undefined) return 'incomplete';
  return end === CR || end === LF ? 'closing' : 'no head';
}

function afterBlanks(bytes: Buffer, start: number): number {
  let at = start;
  while (at < MAX_HEAD_BYTES && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}

/** True if the delimiter starts at the offset. Undefined if more bytes must follow to decide that. */
function startsAt(bytes: Buffer, offset: number, delimiter: Buffer): boolean | undefined {
  const there = bytes.subarray(offset, offset + delimiter.length);
  if (!delimiter.subarray(0, there.length).equals(there)) return false;
  return there.length === delimiter.length ? true : undefined;
}

/** Returns the number of bytes at the end that may begin a delimiter. */
function lengthOfBegun(bytes: Buffer, delimiter: Buffer): number {
  const earliest = Math.max(0, bytes.length - delimiter.length + 1);
  for (let at = bytes.indexOf(CR, earliest); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    const end = bytes.subarray(at);
    if (delimiter.subarray(0, end.length).equals(end)) return end.length;
  }
  return 0;
}
