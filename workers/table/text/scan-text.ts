import { isUtf8 } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import { sniffEncoding } from '../../../src/kinds/text-encoding.ts';
import { UnprocessableError } from '../../unprocessable-error.ts';
import { guessEncoding } from './guess-encoding.ts';

/** What a whole text tells, before any of it is cut into rows. */
export interface ScannedText {
  /** A name of the Encoding Standard. */
  encoding: string;
  /** 0 to 1; see `TableResult.encodingCertainty`. */
  encodingCertainty: number;
  /** Where the text begins, behind a byte order mark. */
  bomBytes: number;
  sizeBytes: number;
  /** Where the text ends: before the end mark of DOS, if it has one. */
  endBytes: number;
  /** True where a carriage return is anywhere, so that lines may not all end with a line feed alone. */
  hasReturns: boolean;
  /** The first bytes, the mark included. */
  head: Buffer;
}

const CHUNK_BYTES = 1024 * 1024;
const HEAD_BYTES = 65_536;
const RETURN = 13;
const DOS_END = 0x1a;
const LEAD = 0xc0;
const CONTINUATION = 0x80;
const MAX_CUT_BYTES = 3;

/**
 * Reads a text from end to end for its encoding: most that are not UTF-8 look like it for long. Throws `table_damaged`
 * for bytes that are no text, and for a mark that the bytes belie.
 */
export async function scanText(path: string, given: string | undefined, signal: AbortSignal): Promise<ScannedText> {
  const file = await open(path);
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const scan = new Scan();
  try {
    for (
      let read = await file.read(chunk);
      read.bytesRead > 0;
      read = await file.read(chunk, scan.cutBytes, CHUNK_BYTES - scan.cutBytes)
    ) {
      signal.throwIfAborted();
      scan.add(chunk, read.bytesRead);
    }
    const { isUtf8, ...text } = scan.end();
    if (text.bomBytes > 0) return { ...text, encodingCertainty: 1 };
    if (given !== undefined) return { ...text, encoding: namedEncoding(given, isUtf8), encodingCertainty: 1 };
    if (text.encoding !== 'windows-1252') return { ...text, encodingCertainty: 1 };
    const { encoding, certainty } = guessEncoding(await linesBeyondAscii(file, signal));
    return { ...text, encoding, encodingCertainty: certainty };
  } finally {
    await file.close();
  }
}

class Scan {
  /** Bytes of an incomplete character, which stay at the beginning of the chunk. */
  cutBytes = 0;
  #sizeBytes = 0;
  #isUtf8 = true;
  #lastByte: number | undefined;
  #hasReturns = false;
  #head = Buffer.alloc(0);

  add(chunk: Buffer, bytesRead: number): void {
    const bytes = chunk.subarray(0, this.cutBytes + bytesRead);
    if (this.#sizeBytes === 0) this.#head = Buffer.from(bytes.subarray(0, HEAD_BYTES));
    this.#sizeBytes += bytesRead;
    this.#lastByte = bytes.at(-1);
    this.#hasReturns ||= bytes.includes(RETURN);
    this.cutBytes = 0;
    if (!this.#isUtf8) return;
    this.cutBytes = incompleteBytes(bytes);
    this.#isUtf8 = isUtf8(bytes.subarray(0, bytes.length - this.cutBytes));
    bytes.copy(chunk, 0, bytes.length - this.cutBytes);
  }

  end(): Omit<ScannedText, 'encodingCertainty'> & { isUtf8: boolean } {
    const { encoding, bomBytes } = sniffEncoding(this.#head) ?? notText();
    const isUtf8Whole = this.#isUtf8 && this.cutBytes === 0;
    if (encoding === 'utf-8' && bomBytes > 0 && !isUtf8Whole)
      throw new UnprocessableError('table_damaged', BELIED_MARK);
    const found = encoding === 'utf-8' && !isUtf8Whole ? 'windows-1252' : encoding;
    return {
      encoding: found,
      isUtf8: isUtf8Whole,
      bomBytes,
      sizeBytes: this.#sizeBytes,
      endBytes: this.#sizeBytes - (this.#lastByte === DOS_END && !found.startsWith('utf-16') ? 1 : 0),
      hasReturns: this.#hasReturns,
      head: this.#head,
    };
  }
}

/** Enough for the frequency of letters. */
const GUESSED_BYTES = 32_768;
const LINE_FEED = 10;

/** Whole lines with bytes beyond ASCII, from the beginning on: an encoding never has half a character before a line end. */
async function linesBeyondAscii(file: FileHandle, signal: AbortSignal): Promise<Buffer> {
  const found: Buffer[] = [];
  let bytes = 0;
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (let at = 0; bytes < GUESSED_BYTES;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) break;
    const lastEnd = chunk.lastIndexOf(LINE_FEED, bytesRead - 1) + 1;
    const end = lastEnd === 0 ? bytesRead : lastEnd;
    for (let start = 0; start < end && bytes < GUESSED_BYTES;) {
      const lineEnd = chunk.indexOf(LINE_FEED, start) + 1 || end;
      const line = chunk.subarray(start, Math.min(lineEnd, end));
      if (line.some((byte) => byte >= CONTINUATION)) {
        found.push(Buffer.from(line));
        bytes += line.length;
      }
      start = lineEnd;
    }
    at += end;
  }
  return Buffer.concat(found);
}

/** The name that the Encoding Standard gives a label of the sender's. */
function namedEncoding(label: string, isUtf8: boolean): string {
  const { encoding } = new TextDecoder(label);
  if (encoding !== 'utf-8' || isUtf8) return encoding;
  const detail =
    'The option encoding says utf-8, and the file has bytes in it that are none. Leave the option out, or name another one.';
  throw new UnprocessableError('table_damaged', detail);
}

const BELIED_MARK = 'The file begins with the mark of UTF-8 and has bytes in it that are none. Save it as UTF-8 again.';

function notText(): never {
  throw new UnprocessableError(
    'table_damaged',
    'The file has bytes in it that no text has. Save the table as CSV in UTF-8.',
  );
}

/** How many bytes at the end belong to a character of UTF-8 that goes on after them. */
function incompleteBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(MAX_CUT_BYTES, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < CONTINUATION) return 0;
    if (byte >= LEAD) return back < lengthOf(byte) ? back : 0;
  }
  return 0;
}

function lengthOf(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}
