import { createReadStream } from 'node:fs';
import { UnprocessableError } from '../../unprocessable-error.ts';
import type { ScannedText } from './scan-text.ts';

/** A piece of UTF-8 text without a byte order mark. */
interface Utf8Chunk {
  bytes: Buffer;
  /** The fraction of the file that has been read, 0 to 1. */
  fraction: number;
}

/**
 * Bytes of one chunk. Its output is in memory too, and for a wide and empty table it is some hundred times as large.
 */
const CHUNK_BYTES = 65_536;

/**
 * Reads a text of any encoding as UTF-8. Throws `table_damaged` for a zero byte, and for bytes that are invalid in the
 * encoding unless the encoding was guessed.
 */
export async function* readUtf8(
  path: string,
  text: ScannedText,
  startBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Utf8Chunk, void, undefined> {
  // A stream with an empty range would fail.
  if (startBytes >= text.endBytes) return;
  const toUtf8 = transcoder(text);
  let at = startBytes;
  for await (const chunk of createReadStream(path, {
    start: at,
    end: text.endBytes - 1,
    highWaterMark: CHUNK_BYTES,
    signal,
  }) as AsyncIterable<Buffer>) {
    at += chunk.length;
    yield { bytes: withoutZeros(toUtf8(chunk)), fraction: at / text.sizeBytes };
  }
  yield { bytes: withoutZeros(toUtf8(Buffer.alloc(0))), fraction: 1 };
}

function withoutZeros(bytes: Buffer): Buffer {
  if (bytes.includes(0)) throw new UnprocessableError('table_damaged', ZERO_BYTE);
  return bytes;
}

const ZERO_BYTE = 'The file contains zero bytes, so it is damaged or not a text file. Save the table as CSV in UTF-8.';

/** Returns a function that converts chunks to UTF-8. An empty chunk ends the text. */
function transcoder({ encoding, encodingCertainty }: ScannedText): (chunk: Buffer) => Buffer {
  if (encoding === 'utf-8') return (chunk) => chunk;
  const decoder = new TextDecoder(encoding, { fatal: encodingCertainty === 1, ignoreBOM: true });
  return (chunk) => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream: chunk.length > 0 }));
    } catch (error) {
      throw new UnprocessableError(
        'table_damaged',
        `The file has bytes that are invalid in ${encoding}, or it is incomplete. Omit the option encoding if it is ` +
          'set. Otherwise save the table as CSV in UTF-8.',
        { cause: error },
      );
    }
  };
}
