import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, openPromise, RandomAccessReader, type ZipFile } from 'yauzl';

const END_SIGNATURE = Buffer.from('PK\x05\x06');
const END_BYTES = 22;
const COMMENT_LENGTH_OFFSET = 20;
/** The longest comment, or padding after the archive. */
const MAX_TAIL_BYTES = 65_535;
const PIECE_BYTES = 65_536;

/**
 * Opens an archive that the caller closes. Some report generators write line ends or zeros after it. Other readers
 * ignore these, yauzl does not. Rejects with the error of yauzl.
 */
export async function openZip(path: string): Promise<ZipFile> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const end = await endOf(file, size);
    if (end < size) return await fromRandomAccessReaderPromise(new FileReader(file), end, { autoClose: false });
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return await openPromise(path, { autoClose: false });
}

/** Returns the end of the archive if only padding follows it, and otherwise the size of the file. */
async function endOf(file: FileHandle, size: number): Promise<number> {
  const tail = Buffer.alloc(Math.min(size, END_BYTES + MAX_TAIL_BYTES));
  await file.read(tail, 0, tail.length, size - tail.length);
  const at = tail.lastIndexOf(END_SIGNATURE);
  if (at < 0 || at + END_BYTES > tail.length) return size;
  const end = at + END_BYTES + tail.readUInt16LE(at + COMMENT_LENGTH_OFFSET);
  const isPadding = end < tail.length && tail.subarray(end).every((byte) => PADDING.has(byte));
  return isPadding ? size - tail.length + end : size;
}

const PADDING: ReadonlySet<number> = new Set([0, 9, 10, 13, 32]);

/** Reads ranges of an open file, and closes it at the end. */
class FileReader extends RandomAccessReader {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    super();
    this.#file = file;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#pieces(start, end), { objectMode: false });
  }

  /** Yields a range of the file. A stream of node:fs would close the file at its end. */
  async *#pieces(start: number, end: number): AsyncGenerator<Buffer, void, undefined> {
    for (let at = start; at < end;) {
      const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(Math.min(PIECE_BYTES, end - at)), {
        position: at,
      });
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  override close(callback: (error: Error | null) => void): void {
    this.#file.close().then(() => callback(null), callback);
  }
}
