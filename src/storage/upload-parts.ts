import type { Readable } from 'node:stream';
import { originalKey, parseKey, partsPrefix, uploadPrefix } from './keys.ts';
import { openPartWriter, type PartWriter } from './part-writer.ts';
import type { ByteRange, SizedKey, Storage } from './storage.ts';

/** A range of one part. */
export interface Piece extends ByteRange {
  key: string;
}

/** The durable bytes from the start of the file up to the first gap. */
export interface StoredPieces {
  bytes: number;
  /** Empty if the parts were joined. */
  pieces: readonly Piece[];
  /** True if the file is in one piece under its final key. */
  isJoined: boolean;
  /** The keys of all parts, also of unused ones. */
  keys: readonly string[];
  /** Set if the bytes are in one part that can become the file without a copy. */
  sole?: SizedKey;
  /** Set if more bytes can be appended to the last part. */
  last?: { offset: number; part: SizedKey };
}

/** The upload whose parts are read or written. */
export interface PartsOf {
  id: string;
  fencingToken: string;
  /** Null if it is not known yet. */
  totalBytes: number | null;
}

interface Part extends SizedKey {
  offset: number;
  /** Only of a part that grows. */
  isOpen?: boolean;
}

/**
 * The received parts of one resumable upload, as objects in the storage. The key of a part contains the offset at which
 * it begins. Parts may overlap if two processes have written at once. They contain the same bytes then, so that an
 * acknowledged offset stays valid. See docs/adr/0022-parts-of-resumable-uploads.md.
 */
export class UploadParts {
  readonly #storage: Storage;
  readonly #of: PartsOf;

  constructor(storage: Storage, of: PartsOf) {
    this.#storage = storage;
    this.#of = of;
  }

  async stored(): Promise<StoredPieces> {
    const { joinedBytes, parts } = await this.#list();
    const keys = parts.map(({ key }) => key);
    if (joinedBytes !== undefined) return { bytes: joinedBytes, pieces: [], isJoined: true, keys };
    parts.sort((one, other) => one.offset - other.offset);
    const pieces: Piece[] = [];
    let bytes = 0;
    let last: Part | undefined;
    for (const part of parts) {
      const { key, offset, sizeBytes } = part;
      const isOfUse = offset <= bytes && offset + sizeBytes > bytes;
      if (!isOfUse) continue;
      pieces.push({ key, start: bytes - offset, end: sizeBytes - 1 });
      bytes = offset + sizeBytes;
      last = part;
    }
    const grown = last?.isOpen === false ? { key: last.key, sizeBytes: last.sizeBytes } : undefined;
    return {
      bytes,
      pieces,
      isJoined: false,
      keys,
      ...(grown === undefined || last === undefined ? {} : { last: { offset: last.offset, part: grown } }),
      ...(grown === undefined || pieces.length > 1 ? {} : { sole: grown }),
    };
  }

  /** Returns the bytes of the pieces in order. Throws if one no longer exists, for example after a cancel. */
  async *read(pieces: readonly Piece[]): AsyncGenerator<Buffer> {
    for (const { key, start, end } of pieces) {
      const stream = await this.#storage.read(key, { start, end });
      if (stream === undefined) throw new Error('a part of the upload is missing');
      yield* buffersOf(stream);
    }
  }

  /** As `read`, for the whole file, also after its parts were joined. */
  async *readAll({ isJoined, pieces, bytes }: StoredPieces): AsyncGenerator<Buffer> {
    yield* this.read(isJoined ? [{ key: this.#original, start: 0, end: bytes - 1 }] : pieces);
  }

  /** Returns at most `byteCount` bytes of the file from `start` on. */
  async bytesAt(stored: StoredPieces, start: number, byteCount: number): Promise<Buffer> {
    const all = stored.isJoined ? [{ key: this.#original, start: 0, end: stored.bytes - 1 }] : stored.pieces;
    const found: Buffer[] = [];
    for await (const chunk of this.read(cut(all, start, byteCount))) found.push(chunk);
    return Buffer.concat(found);
  }

  /** Returns at most `byteCount` bytes from the start of the file. */
  async head(byteCount: number): Promise<Buffer> {
    return await this.bytesAt(await this.stored(), 0, byteCount);
  }

  /**
   * Returns a writer for bytes from `offset` on. It writes nothing before the first byte.
   * @param options.isOnePart true keeps none of the bytes before the commit, so that `discard` removes them all.
   * @param options.stored the present bytes. Default: they are listed at the first byte.
   */
  append(
    offset: number,
    { isOnePart = false, stored }: { isOnePart?: boolean; stored?: StoredPieces | undefined } = {},
  ): PartWriter {
    const findLast = async () => (stored ?? (await this.stored())).last;
    return openPartWriter(this.#storage, { id: this.#of.id, offset, isOnePart, findLast });
  }

  /** Removes these parts, and none of a later upload with the same id. */
  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#storage.remove(key);
  }

  /** Removes the parts if a file was made of them. */
  async removeJoined(): Promise<void> {
    const { isJoined, keys } = await this.stored();
    if (isJoined) await this.remove(keys);
  }

  async removeAll(): Promise<void> {
    await this.#storage.removeAll(partsPrefix(this.#of.id));
  }

  get #original(): string {
    return originalKey(this.#of.id, this.#of.fencingToken);
  }

  async #list(): Promise<{ joinedBytes: number | undefined; parts: Part[] }> {
    const { id, totalBytes } = this.#of;
    const parts: Part[] = [];
    let joinedBytes: number | undefined;
    for await (const { key, sizeBytes } of this.#storage.list(uploadPrefix(id))) {
      const { offset, growing } = parseKey(key) ?? {};
      if (key === this.#original && sizeBytes === totalBytes) joinedBytes = sizeBytes;
      if (offset === undefined) continue;
      if (growing === undefined) parts.push({ key, offset, sizeBytes });
      // A damaged file may have fewer bytes than its name says.
      else parts.push({ key, offset, sizeBytes: Math.min(growing.sizeBytes, sizeBytes), isOpen: growing.isOpen });
    }
    return { joinedBytes, parts };
  }
}

/** Returns the pieces of the file from `start` on that have `byteCount` bytes together. */
function cut(pieces: readonly Piece[], start: number, byteCount: number): Piece[] {
  const found: Piece[] = [];
  let position = 0;
  for (const piece of pieces) {
    const length = piece.end - piece.start + 1;
    const from = Math.max(0, start - position);
    const to = Math.min(length, start + byteCount - position);
    if (from < to) found.push({ key: piece.key, start: piece.start + from, end: piece.start + to - 1 });
    position += length;
  }
  return found;
}

async function* buffersOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
}
