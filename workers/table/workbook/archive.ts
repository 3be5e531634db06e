import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { UnprocessableError } from '../../unprocessable-error.ts';
import { openZip } from './open-zip.ts';

interface ArchiveLimits {
  /** Total unpacked size of all parts that are read. */
  maxUnpackedBytes: number;
}

/** A piece of a part. */
export interface PartChunk {
  bytes: Buffer;
  /** The fraction of the part that has been read, 0 to 1. */
  fraction: number;
}

/** A workbook has a part for each sheet, picture and comment. */
const MAX_ENTRIES = 10_000;

/**
 * The highest accepted compression ratio. XML packs to a tenth, and to a hundredth if all rows are alike. A higher
 * ratio means an archive bomb.
 */
const MAX_RATIO = 250;
const RATIO_COUNTS_FROM_BYTES = 4 * 1024 * 1024;

/**
 * The parts of a workbook in its zip archive. Parts are unpacked only when they are read, and only in memory. Throws
 * `UnprocessableError` for a file that is not an archive, is encrypted, or unpacks to too much.
 */
export class WorkbookArchive {
  readonly #zip: ZipFile;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #maxUnpackedBytes: number;
  readonly #read = new Set<Entry>();

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>, { maxUnpackedBytes }: ArchiveLimits) {
    this.#zip = zip;
    this.#entries = entries;
    this.#maxUnpackedBytes = maxUnpackedBytes;
  }

  /** Opens an archive. The caller closes it. */
  static async open(path: string, limits: ArchiveLimits): Promise<WorkbookArchive> {
    const zip = await openZip(path).catch(rethrow);
    zip.on('error', () => undefined);
    try {
      return new WorkbookArchive(zip, await listEntries(zip), limits);
    } catch (error) {
      zip.close();
      return rethrow(error);
    }
  }

  /** Returns whether there is a part of this name, ignoring case. */
  has(name: string): boolean {
    return this.#entries.has(keyOf(name));
  }

  /** Reads a whole part. To stop early, call `return`, which releases the part. */
  async *read(name: string, signal: AbortSignal): AsyncGenerator<PartChunk, void, undefined> {
    const entry = this.#entries.get(keyOf(name));
    if (entry === undefined)
      throw new UnprocessableError(
        'table_damaged',
        'The workbook is damaged: a part of it is missing. Save it again and upload it.',
      );
    this.#admit(entry);
    let sum = 0;
    let readBytes = 0;
    try {
      const stream: AsyncIterable<Buffer> = await this.#zip.openReadStreamPromise(entry);
      for await (const bytes of stream) {
        signal.throwIfAborted();
        sum = crc32(bytes, sum);
        readBytes += bytes.length;
        yield { bytes, fraction: readBytes / Math.max(1, entry.uncompressedSize) };
      }
    } catch (error) {
      signal.throwIfAborted();
      rethrow(error);
    }
    if (sum !== entry.crc32) throw damaged();
  }

  /** Closes the file. No part may be read at that time. */
  close(): void {
    this.#zip.close();
  }

  #admit(entry: Entry): void {
    if (entry.isEncrypted())
      throw new UnprocessableError(
        'table_encrypted',
        'The workbook is encrypted. Save it without a password and upload it again.',
      );
    this.#read.add(entry);
    const bytes = [...this.#read].reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
    const isBomb =
      entry.uncompressedSize > RATIO_COUNTS_FROM_BYTES && entry.uncompressedSize > MAX_RATIO * entry.compressedSize;
    if (!isBomb && bytes <= this.#maxUnpackedBytes) return;
    const size = isBomb ? `${MAX_RATIO} times its size` : `more than ${this.#maxUnpackedBytes} bytes`;
    throw new UnprocessableError(
      'table_too_large',
      `The workbook unpacks to ${size}. Upload fewer rows per file, or save it as CSV.`,
    );
  }
}

async function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) {
    throw new UnprocessableError(
      'table_too_large',
      `The workbook has ${zip.entryCount} parts. At most ${MAX_ENTRIES} are accepted. Copy the rows to a new workbook.`,
    );
  }
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    const key = keyOf(entry.fileName);
    if (entries.has(key))
      throw new UnprocessableError(
        'table_damaged',
        'The workbook is damaged: it contains a part twice. Save it again and upload it.',
      );
    entries.set(key, entry);
  }
  return entries;
}

/** Returns the key of a part. Names of parts are not case-sensitive (ECMA-376 part 2, section 6.2.2.3). */
function keyOf(name: string): string {
  return name.toLowerCase();
}

/** The messages of `yauzl` for names that lead out of the archive. */
const UNSAFE_PATH = /^(invalid relative path|absolute path|invalid characters in fileName)/;

/** Throws the error itself if the machine is to blame, and otherwise an error for the sender. */
function rethrow(error: unknown): never {
  if (error instanceof UnprocessableError) throw error;
  const isOurs = error instanceof Error && 'syscall' in error;
  if (isOurs) throw error;
  const isUnsafePath = error instanceof Error && UNSAFE_PATH.test(error.message);
  throw isUnsafePath
    ? new UnprocessableError(
        'table_damaged',
        'The workbook has a part whose name points outside of it. Save it again and upload it.',
        { cause: error },
      )
    : damaged(error);
}

function damaged(cause?: unknown): UnprocessableError {
  return new UnprocessableError(
    'table_damaged',
    'The workbook is damaged or incomplete: its archive cannot be read. Save it again and upload the whole file.',
    { cause },
  );
}
