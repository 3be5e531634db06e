import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { partKey, partOffset, partsPrefix } from '../../storage/keys.ts';
import type { ByteRange, ObjectWriter, Storage } from '../../storage/storage.ts';

/**
 * If the process is killed, its unfinished part is lost. So a part has at most this size and stays open at most this
 * long.
 */
const PART_BYTES = 8 * 1024 * 1024;
const PART_MS = 30_000;

/** A range of one part. */
export interface Piece extends ByteRange {
  key: string;
}

/** The durable bytes from the start of the file up to the first gap. */
export interface StoredPieces {
  bytes: number;
  pieces: readonly Piece[];
}

/**
 * The received parts of one resumable upload, as objects in the storage. The key of a part contains the offset at which
 * it begins. Parts may overlap if two processes have written at once. They contain the same bytes then, so that an
 * acknowledged offset stays valid.
 */
export class UploadParts {
  readonly #storage: Storage;
  readonly #id: string;

  constructor(storage: Storage, id: string) {
    this.#storage = storage;
    this.#id = id;
  }

  async stored(): Promise<StoredPieces> {
    const parts: { key: string; offset: number; sizeBytes: number }[] = [];
    for await (const { key, sizeBytes } of this.#storage.list(partsPrefix(this.#id))) {
      const offset = partOffset(key);
      if (offset !== undefined) parts.push({ key, offset, sizeBytes });
    }
    parts.sort((one, other) => one.offset - other.offset);
    const pieces: Piece[] = [];
    let bytes = 0;
    for (const { key, offset, sizeBytes } of parts) {
      const isOfUse = offset <= bytes && offset + sizeBytes > bytes;
      if (!isOfUse) continue;
      pieces.push({ key, start: bytes - offset, end: sizeBytes - 1 });
      bytes = offset + sizeBytes;
    }
    return { bytes, pieces };
  }

  /** Returns the bytes of the pieces in order. Throws if one no longer exists, for example after a cancel. */
  async *read(pieces: readonly Piece[]): AsyncGenerator<Buffer> {
    for (const { key, start, end } of pieces) {
      const stream = await this.#storage.read(key, { start, end });
      if (stream === undefined) throw new Error('a part of the upload is missing');
      yield* buffersOf(stream);
    }
  }

  /** Returns at most `byteCount` bytes from the start of the file. */
  async head(byteCount: number): Promise<Buffer> {
    const { pieces } = await this.stored();
    const head: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of this.read(pieces)) {
      head.push(chunk);
      bytes += chunk.length;
      if (bytes >= byteCount) break;
    }
    return Buffer.concat(head).subarray(0, byteCount);
  }

  /**
   * Returns a writer for bytes from `offset` on. It creates an object with the first byte.
   * @param isOnePart true keeps all bytes in one part, so that `discard` removes them all.
   */
  append(offset: number, isOnePart = false): PartWriter {
    return new PartWriter(this.#storage, this.#id, offset, isOnePart);
  }

  async removeAll(): Promise<void> {
    await this.#storage.removeAll(partsPrefix(this.#id));
  }
}

/**
 * Writes the bytes of one request as parts. End it with `commit` or `discard`. Parts that were already complete stay.
 */
export class PartWriter {
  readonly #storage: Storage;
  readonly #id: string;
  readonly #isOnePart: boolean;
  #offset: number;
  #openBytes = 0;
  #openedAtMs = 0;
  #writer: ObjectWriter | undefined;

  constructor(storage: Storage, id: string, offset: number, isOnePart: boolean) {
    this.#storage = storage;
    this.#id = id;
    this.#offset = offset;
    this.#isOnePart = isOnePart;
  }

  /** The bytes up to this offset are durable. */
  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Buffer): Promise<void> {
    const writer = this.#writer ?? (await this.#open());
    await writer.write(chunk);
    this.#openBytes += chunk.length;
    if (this.#isOnePart) return;
    if (this.#openBytes >= PART_BYTES || performance.now() - this.#openedAtMs >= PART_MS) await this.commit();
  }

  async commit(): Promise<void> {
    await this.#writer?.commit();
    this.#writer = undefined;
    this.#offset += this.#openBytes;
    this.#openBytes = 0;
  }

  /** Can be called after a failed `write` or `commit`. */
  async discard(): Promise<void> {
    await this.#writer?.discard();
    this.#writer = undefined;
    this.#openBytes = 0;
  }

  async #open(): Promise<ObjectWriter> {
    this.#openedAtMs = performance.now();
    this.#writer = await this.#storage.create(partKey(this.#id, this.#offset, randomBytes(6).toString('hex')));
    return this.#writer;
  }
}

async function* buffersOf(stream: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
}
