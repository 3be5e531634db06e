import { pipeline, Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';
import {
  dataDescriptor,
  directoryEntry,
  endOfDirectory,
  IN_EXTRA_FIELD,
  localHeader,
  METHOD,
  type ZipMember,
  type ZipSizes,
} from './zip-headers.ts';

/** A file to put into an archive. */
export interface ZipFile {
  /** The path in the archive, with slashes between folders. It is unique. */
  readonly name: string;
  readonly modifiedAt: Date;
  /** Undefined if the bytes are made while they are sent. They are compressed then. */
  readonly sizeBytes: number | undefined;
  /**
   * Called when the files before it are sent. If the archive is not read to its end, the iterator is closed by its
   * `return`.
   */
  open(): AsyncIterable<Buffer>;
}

const NO_SIZES: ZipSizes = { crc: 0, packedBytes: 0, sizeBytes: 0 };

/**
 * Yields a zip archive while its files are read, one after the other. Files of known size are stored, because pictures
 * do not get smaller. Throws if a file does not have the size that it should have.
 */
export async function* zipStream(files: Iterable<ZipFile>): AsyncGenerator<Buffer, void, void> {
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const member = memberOf(file);
    const head = localHeader(member);
    yield head;
    const sizes = yield* member.method === METHOD.stored ? stored(file) : deflated(file);
    if (!member.isLarge && Math.max(sizes.packedBytes, sizes.sizeBytes) >= IN_EXTRA_FIELD)
      throw new Error('a compressed file of the archive has 4 GiB or more');
    const tail = dataDescriptor(member, sizes);
    yield tail;
    directory.push(directoryEntry(member, sizes, offset));
    offset += head.length + sizes.packedBytes + tail.length;
  }
  const listed = Buffer.concat(directory);
  yield Buffer.concat([listed, endOfDirectory(directory.length, listed.length, offset)]);
}

/** Returns the size of the archive in bytes. Undefined if a file is compressed. */
export function zipSizeOf(files: Iterable<ZipFile>): number | undefined {
  let [offset, directoryBytes, entries] = [0, 0, 0];
  for (const file of files) {
    if (file.sizeBytes === undefined) return undefined;
    const member = memberOf(file);
    directoryBytes += directoryEntry(member, NO_SIZES, offset).length;
    offset += localHeader(member).length + file.sizeBytes + dataDescriptor(member, NO_SIZES).length;
    entries += 1;
  }
  return offset + directoryBytes + endOfDirectory(entries, directoryBytes, offset).length;
}

function memberOf({ name, modifiedAt, sizeBytes }: ZipFile): ZipMember {
  const method = sizeBytes === undefined ? METHOD.deflated : METHOD.stored;
  return { name: Buffer.from(name), modifiedAt, method, isLarge: (sizeBytes ?? 0) >= IN_EXTRA_FIELD };
}

async function* stored(file: ZipFile): AsyncGenerator<Buffer, ZipSizes, void> {
  let [crc, sizeBytes] = [0, 0];
  for await (const chunk of file.open()) {
    crc = crc32(chunk, crc);
    sizeBytes += chunk.length;
    yield chunk;
  }
  if (sizeBytes !== file.sizeBytes) throw new Error('a file of the archive does not have the size of its record');
  return { crc, sizeBytes, packedBytes: sizeBytes };
}

async function* deflated(file: ZipFile): AsyncGenerator<Buffer, ZipSizes, void> {
  let [crc, sizeBytes, packedBytes] = [0, 0, 0];
  async function* counted(): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of file.open()) {
      crc = crc32(chunk, crc);
      sizeBytes += chunk.length;
      yield chunk;
    }
  }
  // If the archive is not read to its end, the pipeline stops reading the file. Errors reach the reader of `packed`.
  const packed = pipeline(Readable.from(counted()), createDeflateRaw(), () => undefined);
  for await (const chunk of packed as AsyncIterable<Buffer>) {
    packedBytes += chunk.length;
    yield chunk;
  }
  return { crc, sizeBytes, packedBytes };
}
