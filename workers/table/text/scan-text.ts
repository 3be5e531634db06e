import { isAscii, isUtf8 } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import { sniffEncoding } from '../../../src/kinds/text-encoding.ts';
import { UnprocessableError } from '../../unprocessable-error.ts';
import { guessEncoding } from './guess-encoding.ts';

/** The facts of a whole text that must be known before it is cut into rows. */
export interface ScannedText {
  /** A name of the Encoding Standard. */
  encoding: string;
  /** The certainty of the guessed encoding, 0 to 1; see `TableResult.encodingCertainty`. */
  encodingCertainty: number;
  /** The length of the byte order mark, or 0. */
  bomBytes: number;
  sizeBytes: number;
  /** The end of the text, before the end mark of DOS if there is one. */
  endBytes: number;
  /** True if the text contains a carriage return. */
  hasReturns: boolean;
  /** The first bytes, including the byte order mark. */
  head: Buffer;
}

const CHUNK_BYTES = 1024 * 1024;
const HEAD_BYTES = 65_536;
const RETURN = 13;
const DOS_END = 0x1a;
/** The first and the last byte that can begin a character of UTF-8 beyond ASCII. */
const [FIRST_LEAD, LAST_LEAD] = [0xc2, 0xf4];
const CONTINUATION = 0x80;
const MAX_CUT_BYTES = 3;

/**
 * Reads a whole text to determine its encoding, because most texts that are not UTF-8 look like it at first. Throws
 * `table_damaged` for bytes that are not text, and for a byte order mark that does not match the bytes.
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
    const { isUtf8, isCutUtf8, ...text } = scan.end();
    if (text.bomBytes > 0) return { ...text, encodingCertainty: 1 };
    if (given !== undefined) return { ...text, encoding: namedEncoding(given, isUtf8), encodingCertainty: 1 };
    if (text.encoding !== 'windows-1252') return { ...text, encodingCertainty: 1 };
    if (isCutUtf8) throw new UnprocessableError('table_damaged', `${CUT_SHORT} ${OR_NAME_ENCODING}`);
    const { encoding, certainty } = guessEncoding(await linesBeyondAscii(file, signal));
    return { ...text, encoding, encodingCertainty: certainty };
  } finally {
    await file.close();
  }
}

class Scan {
  /** Bytes of an incomplete character, kept for the next chunk. */
  cutBytes = 0;
  #sizeBytes = 0;
  #isUtf8 = true;
  #isAscii = true;
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
    const whole = bytes.subarray(0, bytes.length - this.cutBytes);
    this.#isUtf8 = isUtf8(whole);
    this.#isAscii &&= isAscii(whole);
    bytes.copy(chunk, 0, bytes.length - this.cutBytes);
  }

  end(): Omit<ScannedText, 'encodingCertainty'> & { isUtf8: boolean; isCutUtf8: boolean } {
    const { encoding, bomBytes } = sniffEncoding(this.#head) ?? notText();
    const isUtf8Whole = this.#isUtf8 && this.cutBytes === 0;
    if (encoding === 'utf-8' && bomBytes > 0 && !isUtf8Whole)
      throw new UnprocessableError('table_damaged', this.#isUtf8 ? CUT_SHORT : WRONG_MARK);
    const found = encoding === 'utf-8' && !isUtf8Whole ? 'windows-1252' : encoding;
    return {
      encoding: found,
      isUtf8: isUtf8Whole,
      // One byte beyond ASCII, at the very end, is more likely a letter of an older encoding.
      isCutUtf8: this.#isUtf8 && this.cutBytes > 0 && !this.#isAscii,
      bomBytes,
      sizeBytes: this.#sizeBytes,
      endBytes: this.#sizeBytes - (this.#lastByte === DOS_END && !found.startsWith('utf-16') ? 1 : 0),
      hasReturns: this.#hasReturns,
      head: this.#head,
    };
  }
}

/** Number of bytes that are used for a guess: enough for the frequency of letters. */
const GUESSED_BYTES = 32_768;
const LINE_FEED = 10;

/**
 * Returns whole lines with bytes beyond ASCII from the start of the file. No encoding has half a character before a
 * line end.
 */
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

/** Returns the name in the Encoding Standard for the label of the option `encoding`. */
function namedEncoding(label: string, isUtf8: boolean): string {
  const { encoding } = new TextDecoder(label);
  if (encoding !== 'utf-8' || isUtf8) return encoding;
  const detail =
    'The option encoding is utf-8, but the file is not valid UTF-8. Omit the option, or name another encoding.';
  throw new UnprocessableError('table_damaged', detail);
}

const WRONG_MARK = 'The file has a UTF-8 byte order mark, but some bytes are not UTF-8. Save it again as UTF-8.';

const CUT_SHORT = 'The file is incomplete: it ends within a character of UTF-8. Upload the whole file.';

const OR_NAME_ENCODING = 'If it is in another encoding, set the option encoding.';

function notText(): never {
  throw new UnprocessableError(
    'table_damaged',
    'The file has bytes that do not occur in text files. Save the table as CSV in UTF-8.',
  );
}

/** Returns how many bytes at the end belong to a character of UTF-8 that is incomplete. */
function incompleteBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(MAX_CUT_BYTES, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < CONTINUATION) return 0;
    if (byte >= FIRST_LEAD) return byte <= LAST_LEAD && back < lengthOf(byte) ? back : 0;
  }
  return 0;
}

function lengthOf(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}
