import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { UnprocessableError } from '../../unprocessable-error.ts';
import { openZip } from './open-zip.ts';

/** What an archive may ask of a worker. */
export interface ArchiveLimits {
  /** Of all parts that are read, unpacked. */
  maxUnpackedBytes: number;
}

/** A piece of a part. */
export interface PartChunk {
  bytes: Buffer;
  /** How much of the part has been read with it, 0 to 1. */
  fraction: number;
}

/** Workbooks have a part for each sheet, picture and comment. */
const MAX_ENTRIES = 10_000;

/** XML packs to a tenth, and to a hundredth where all rows are alike; what packs better was made to. */
const MAX_RATIO = 250;
const RATIO_COUNTS_FROM_BYTES = 4 * 1024 * 1024;

/**
 * The parts of a workbook, in the zip archive that it is. Nothing is unpacked but what is read, and nothing of it is
 * written anywhere. Throws `UnprocessableError` for what is no archive, is encrypted, or unpacks to too much.
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

  /** The caller closes it. */
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

  /** Whether there is a part of that name, in whatever case. */
  has(name: string): boolean {
    return this.#entries.has(keyOf(name));
  }

  /** A part from its first byte to its last; whoever stops early lets go of it with `return`. */
  async *read(name: string, signal: AbortSignal): AsyncGenerator<PartChunk, void, undefined> {
    const entry = this.#entries.get(keyOf(name));
    if (entry === undefined)
      throw new UnprocessableError('table_damaged', 'The workbook is damaged: a part of it is missing.');
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

  /** Lets go of the file, once nothing of it is being read. */
  close(): void {
    this.#zip.close();
  }

  #admit(entry: Entry): void {
    if (entry.isEncrypted())
      throw new UnprocessableError('table_encrypted', 'The workbook is encrypted. Save it without a password.');
    this.#read.add(entry);
    const bytes = [...this.#read].reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
    const isBomb =
      entry.uncompressedSize > RATIO_COUNTS_FROM_BYTES && entry.uncompressedSize > MAX_RATIO * entry.compressedSize;
    if (!isBomb && bytes <= this.#maxUnpackedBytes) return;
    const what = isBomb ? `${MAX_RATIO} times its size` : `more than ${this.#maxUnpackedBytes} bytes`;
    throw new UnprocessableError(
      'table_too_large',
      `The workbook unpacks to ${what}. Send fewer rows at once, or CSV.`,
    );
  }
}

async function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > MAX_ENTRIES) {
    throw new UnprocessableError(
      'table_too_large',
      `The workbook has ${zip.entryCount} parts; at most ${MAX_ENTRIES} are taken.`,
    );
  }
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    const key = keyOf(entry.fileName);
    if (entries.has(key))
      throw new UnprocessableError('table_damaged', 'The workbook is damaged: a part of it is there twice.');
    entries.set(key, entry);
  }
  return entries;
}

/** Names of parts differ by more than case (ECMA-376 part 2, section 6.2.2.3). */
function keyOf(name: string): string {
  return name.toLowerCase();
}

/** As `yauzl` words the names that lead out of an archive. */
const LEADS_OUT = /^(invalid relative path|absolute path|invalid characters in fileName)/;

/** Throws the error where the machine is to blame, and otherwise what the sender is told. */
function rethrow(error: unknown): never {
  if (error instanceof UnprocessableError) throw error;
  const isOurs = error instanceof Error && 'syscall' in error;
  if (isOurs) throw error;
  const leadsOut = error instanceof Error && LEADS_OUT.test(error.message);
  throw leadsOut
    ? new UnprocessableError('table_damaged', 'The workbook has a part whose name leads out of it. Save it anew.', {
        cause: error,
      })
    : damaged(error);
}

function damaged(cause?: unknown): UnprocessableError {
  return new UnprocessableError(
    'table_damaged',
    'The workbook is damaged or cut short: its archive cannot be read. Save it anew, and send the whole of it.',
    { cause },
  );
}
