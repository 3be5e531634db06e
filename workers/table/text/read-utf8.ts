import { createReadStream } from 'node:fs';
import { UnprocessableError } from '../../unprocessable-error.ts';
import type { ScannedText } from './scan-text.ts';

/** A piece of a text in UTF-8, without a mark. */
export interface Utf8Chunk {
  bytes: Buffer;
  /** How much of the file has been read with it, 0 to 1. */
  fraction: number;
}

/** What one chunk becomes is in memory with it: in the JSON Lines of a wide and empty table some hundred times as much. */
const CHUNK_BYTES = 65_536;

/**
 * Reads a text of any encoding as UTF-8. Throws `table_damaged` for a byte of zero, and for bytes that its encoding does
 * not have unless it was guessed.
 */
export async function* readUtf8(
  path: string,
  text: ScannedText,
  startBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Utf8Chunk, void, undefined> {
  // An empty range is an error of the stream.
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

const ZERO_BYTE =
  'The file has characters of code zero in it, which no table has: it is damaged, or no text. Save the table as CSV in UTF-8.';

/** Empty chunks end it. */
function transcoder({ encoding, encodingCertainty }: ScannedText): (chunk: Buffer) => Buffer {
  if (encoding === 'utf-8') return (chunk) => chunk;
  const decoder = new TextDecoder(encoding, { fatal: encodingCertainty === 1, ignoreBOM: true });
  return (chunk) => {
    try {
      return Buffer.from(decoder.decode(chunk, { stream: chunk.length > 0 }));
    } catch (error) {
      throw new UnprocessableError(
        'table_damaged',
        `The file is said to be ${encoding} and has bytes in it that are not, or is cut short.`,
        { cause: error },
      );
    }
  };
}
