import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { sniffEncoding, type EncodedText } from '../../../src/kinds/text-encoding.ts';
import { UnprocessableError } from '../../unprocessable-error.ts';

/** What a whole text tells, before any of it is cut into rows. */
export interface ScannedText extends EncodedText {
  sizeBytes: number;
  /** True where a carriage return is anywhere, so that lines may not all end with a line feed alone. */
  hasReturns: boolean;
  /** The first bytes, the mark included. */
  head: Buffer;
}

const CHUNK_BYTES = 1024 * 1024;
const HEAD_BYTES = 65_536;
const RETURN = 13;
const LEAD = 0xc0;
const CONTINUATION = 0x80;
const MAX_CUT_BYTES = 3;

/**
 * Reads a text from end to end for its encoding: most that are not UTF-8 look like it for long. Throws `table_damaged`
 * for bytes that are no text, and for a mark that the bytes belie.
 */
export async function scanText(path: string, signal: AbortSignal): Promise<ScannedText> {
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
    return scan.end();
  } finally {
    await file.close();
  }
}

class Scan {
  /** Bytes of an incomplete character, which stay at the beginning of the chunk. */
  cutBytes = 0;
  #sizeBytes = 0;
  #isUtf8 = true;
  #hasReturns = false;
  #head = Buffer.alloc(0);

  add(chunk: Buffer, bytesRead: number): void {
    const bytes = chunk.subarray(0, this.cutBytes + bytesRead);
    if (this.#sizeBytes === 0) this.#head = Buffer.from(bytes.subarray(0, HEAD_BYTES));
    this.#sizeBytes += bytesRead;
    this.#hasReturns ||= bytes.includes(RETURN);
    this.cutBytes = 0;
    if (!this.#isUtf8) return;
    this.cutBytes = incompleteBytes(bytes);
    this.#isUtf8 = isUtf8(bytes.subarray(0, bytes.length - this.cutBytes));
    bytes.copy(chunk, 0, bytes.length - this.cutBytes);
  }

  end(): ScannedText {
    const { encoding, bomBytes } = sniffEncoding(this.#head) ?? notText();
    const isUtf8Whole = this.#isUtf8 && this.cutBytes === 0;
    if (encoding === 'utf-8' && bomBytes > 0 && !isUtf8Whole)
      throw new UnprocessableError('table_damaged', BELIED_MARK);
    const found = encoding === 'utf-8' && !isUtf8Whole ? 'windows-1252' : encoding;
    return { encoding: found, bomBytes, sizeBytes: this.#sizeBytes, hasReturns: this.#hasReturns, head: this.#head };
  }
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
