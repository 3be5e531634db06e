import type { Readable } from 'node:stream';
import { originalKey, parseKey, partsPrefix, uploadPrefix } from './keys.ts';
import { openPartWriter, type PartWriter } from './part-writer.ts';
import { FilledPartWriter } from './filled-part-writer.ts';
import { completeParts, joinPieces } from './join-pieces.ts';
import {
  cutPieces,
  LEAST_PART_BYTES,
  readFilled,
  type FilledParts,
  type Piece,
  type StoredPieces,
} from './stored-pieces.ts';
import type { SizedKey, Storage } from './storage.ts';

/** The upload whose parts are read or written. */
export interface PartsOf {
  id: string;
  fencingToken: string;
  /** Size of the file. Null if it is not known yet. */
  totalBytes: number | null;
}

/** The parameters with which a request appends. */
export interface AppendOptions {
  isOnePart?: boolean;
  stored?: StoredPieces | undefined;
}

interface Part extends SizedKey {
  offset: number;
  /** True while a request writes to the part. Only a part that grows has it. */
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
  readonly #leastPartBytes: number;

  /** @param leastPartBytes minimum size of a part in a bucket. */
  constructor(storage: Storage, of: PartsOf, leastPartBytes = LEAST_PART_BYTES) {
    this.#storage = storage;
    this.#of = of;
    this.#leastPartBytes = leastPartBytes;
  }

  async stored(): Promise<StoredPieces> {
    const { joinedBytes, parts } = await this.#list();
    const keys = parts.map(({ key }) => key);
    if (joinedBytes !== undefined) return { bytes: joinedBytes, pieces: [], isJoined: true, keys };
    const filled = await this.#filled();
    parts.sort((one, other) => one.offset - other.offset);
    const pieces: Piece[] = [];
    let bytes = filled?.bytes ?? 0;
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
      ...(filled === undefined ? {} : { filled }),
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

  /** Like `read`, for the whole file, also after its parts were joined. Not for bytes in a multipart upload. */
  async *readAll(stored: StoredPieces): AsyncGenerator<Buffer> {
    yield* this.read(this.piecesIn(stored));
  }

  /** Returns the pieces of the whole file, also after its parts were joined. Without bytes in a multipart upload. */
  piecesIn({ isJoined, pieces, bytes }: StoredPieces): readonly Piece[] {
    return isJoined ? [{ key: this.#original, start: 0, end: bytes - 1 }] : pieces;
  }

  /**
   * Returns at most `byteCount` bytes of the file from `start` on. Undefined while its beginning is in a multipart
   * upload, because a bucket does not return the bytes of parts.
   */
  async bytesAt(stored: StoredPieces, start: number, byteCount: number): Promise<Buffer | undefined> {
    if ((stored.filled?.bytes ?? 0) > 0) return undefined;
    return await this.#buffer(cutPieces(this.piecesIn(stored), start, byteCount));
  }

  /** Makes the stored bytes readable: completes a multipart upload that has all bytes of the file. */
  async readable(stored: StoredPieces): Promise<StoredPieces> {
    if ((stored.filled?.bytes ?? 0) === 0) return stored;
    await this.completeFilled(stored);
    return await this.stored();
  }

  /**
   * Makes the file of its multipart upload and the pieces behind it, without reading the bytes in parts. Does nothing
   * if another request has done so.
   */
  async completeFilled({ filled, pieces, bytes }: StoredPieces): Promise<void> {
    const { direct } = this.#storage;
    if (direct === undefined || filled?.upload === undefined) throw new Error('the parts are in no multipart upload');
    const { upload, partBytes } = filled;
    let number = filled.bytes / partBytes;
    for (let start = 0; start < bytes - filled.bytes; start += partBytes)
      await direct.put(upload, (number += 1), await this.#buffer(cutPieces(pieces, start, partBytes)));
    await completeParts(direct, upload, number, bytes);
  }

  /** Makes the file of pieces of other uploads, as `joinPieces` does. False if the storage cannot do that. */
  async joinFrom(pieces: readonly Piece[]): Promise<boolean> {
    const { direct } = this.#storage;
    const read = (wanted: readonly Piece[]) => this.#buffer(wanted);
    return direct !== undefined && (await joinPieces({ direct, key: this.#original, read }, pieces));
  }

  /**
   * Returns a writer for bytes from `offset` on. It writes nothing before the first byte.
   * @param options.isOnePart if true, no byte is kept before the commit, so that `discard` removes them all.
   * @param options.stored the stored bytes. Default: they are listed at the first byte, if that is needed.
   */
  append(offset: number, { isOnePart = false, stored }: AppendOptions = {}): PartWriter {
    const { id } = this.#of;
    const { direct } = this.#storage;
    const { filled, pieces = [], bytes } = stored ?? {};
    const isFillable = filled !== undefined && bytes === offset && mayFill(filled, offset);
    if (direct !== undefined && isFillable && !isOnePart) {
      const read = (wanted: readonly Piece[]) => this.#buffer(wanted);
      return new FilledPartWriter(this.#storage, direct, { id, key: this.#original, filled, pieces, read });
    }
    const findLast = async () => (stored ?? (await this.stored())).last;
    return openPartWriter(this.#storage, { id, offset, isOnePart, findLast });
  }

  /** Removes these parts, and none of a later upload with the same id. */
  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#storage.remove(key);
  }

  /** Removes the parts if a file was made of them. */
  async removeJoined(): Promise<void> {
    const { joinedBytes, parts } = await this.#list();
    if (joinedBytes !== undefined) await this.remove(parts.map(({ key }) => key));
  }

  async removeAll(): Promise<void> {
    await this.#storage.removeAll(partsPrefix(this.#of.id));
    const { direct } = this.#storage;
    const found = await direct?.find(this.#original);
    if (typeof found === 'object') await direct?.abort({ key: this.#original, uploadId: found.uploadId });
  }

  get #original(): string {
    return originalKey(this.#of.id, this.#of.fencingToken);
  }

  async #filled(): Promise<FilledParts | undefined> {
    const { direct } = this.#storage;
    if (direct === undefined) return undefined;
    return await readFilled(direct, this.#original, this.#of.totalBytes, this.#leastPartBytes);
  }

  async #buffer(pieces: readonly Piece[]): Promise<Buffer> {
    const found: Buffer[] = [];
    for await (const chunk of this.read(pieces)) found.push(chunk);
    return Buffer.concat(found);
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

/** False if many bytes are stored as objects, for example with checksums: the request would have to read them again. */
function mayFill({ bytes, partBytes }: FilledParts, offset: number): boolean {
  return bytes > 0 || offset < 2 * partBytes;
}

async function* buffersOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
}
