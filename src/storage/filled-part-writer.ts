import type { DirectParts, DirectUpload } from './direct-parts.ts';
import { GatheredChunks } from './gathered-chunks.ts';
import { newNonce, partKey } from './keys.ts';
import { SAVE_AFTER_MS, type PartWriter } from './part-writer.ts';
import { cutPieces, lengthOf, type FilledParts, type Piece } from './stored-pieces.ts';
import { putObject, type Storage } from './storage.ts';

/** The place to which a request writes. */
export interface FilledPlace {
  id: string;
  /** The key of the whole file. */
  key: string;
  filled: FilledParts;
  /** The stored bytes after those in `filled`. */
  pieces: readonly Piece[];
  /** Returns the bytes of pieces. */
  read: (pieces: readonly Piece[]) => Promise<Buffer>;
}

/**
 * Fills the multipart upload of a file with parts of equal size. Bytes that do not fill a part are stored as an object
 * of their own, and read again when there are enough of them. Two requests at the same time put the same bytes under
 * the same part number, so a paused one does no harm.
 */
export class FilledPartWriter implements PartWriter {
  readonly #storage: Storage;
  readonly #direct: DirectParts;
  readonly #place: FilledPlace;
  readonly #gathered = new GatheredChunks();
  #upload: DirectUpload | undefined;
  /** The bytes in parts, also of the part that is on its way. */
  #sentBytes: number;
  /** The stored objects behind the parts, and their bytes. */
  #tail: readonly Piece[];
  #tailBytes: number;
  #offset: number;
  #gatheredAtMs = 0;
  #sending: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(storage: Storage, direct: DirectParts, place: FilledPlace) {
    this.#storage = storage;
    this.#direct = direct;
    this.#place = place;
    this.#upload = place.filled.upload;
    this.#sentBytes = place.filled.bytes;
    this.#tail = place.pieces;
    this.#tailBytes = lengthOf(place.pieces);
    this.#offset = this.#sentBytes + this.#tailBytes;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Buffer): Promise<void> {
    const { partBytes } = this.#place.filled;
    // A request with a checksum may have left an object that is larger than a part.
    while (this.#tailBytes >= partBytes) await this.#sendPart();
    for (let rest = chunk; rest.length > 0;) {
      if (this.#gathered.bytes === 0) this.#gatheredAtMs = performance.now();
      const taken = rest.subarray(0, partBytes - this.#tailBytes - this.#gathered.bytes);
      this.#gathered.add(taken);
      rest = rest.subarray(taken.length);
      if (this.#tailBytes + this.#gathered.bytes === partBytes) await this.#sendPart();
    }
    if (this.#gathered.bytes > 0 && performance.now() - this.#gatheredAtMs >= SAVE_AFTER_MS) await this.#saveTail();
  }

  async commit(): Promise<void> {
    await this.#sent();
    if (this.#gathered.bytes > 0) await this.#saveTail();
  }

  async discard(): Promise<void> {
    this.#gathered.take();
    await this.#sending;
  }

  /** Resolves when the next part may be collected, before this one has arrived. */
  async #sendPart(): Promise<void> {
    await this.#sent();
    const { partBytes } = this.#place.filled;
    const fromTail = Math.min(this.#tailBytes, partBytes);
    const stored = await this.#place.read(cutPieces(this.#tail, 0, fromTail));
    const bytes = Buffer.concat([stored, ...this.#gathered.take()]);
    if (bytes.length !== partBytes) throw new Error('a part has the wrong length');
    const number = this.#sentBytes / partBytes + 1;
    const left = cutPieces(this.#tail, fromTail, this.#tailBytes);
    const used = this.#tail.filter(({ key }) => !left.some((piece) => piece.key === key));
    this.#tail = left;
    this.#tailBytes -= fromTail;
    this.#sentBytes += partBytes;
    this.#sending = this.#put(number, bytes, used).catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  async #put(number: number, bytes: Buffer, used: readonly Piece[]): Promise<void> {
    this.#upload ??= await this.#begin();
    await this.#direct.put(this.#upload, number, bytes);
    this.#offset = Math.max(this.#offset, number * bytes.length);
    for (const { key } of used) await this.#storage.remove(key).catch(() => undefined);
  }

  /** Begins the multipart upload. If another request has begun one at the same time, uses it. */
  async #begin(): Promise<DirectUpload> {
    const { key } = this.#place;
    const own = { key, uploadId: await this.#direct.begin(key) };
    const other = await this.#direct.find(key, own.uploadId);
    if (typeof other === 'string') return own;
    await this.#direct.abort(own);
    return { key, uploadId: other.uploadId };
  }

  async #saveTail(): Promise<void> {
    await this.#sent();
    const bytes = Buffer.concat(this.#gathered.take());
    const key = partKey(this.#place.id, this.#sentBytes + this.#tailBytes, newNonce());
    await putObject(this.#storage, key, bytes);
    this.#tail = [...this.#tail, { key, start: 0, end: bytes.length - 1 }];
    this.#tailBytes += bytes.length;
    this.#offset = this.#sentBytes + this.#tailBytes;
  }

  /** Resolves when no part is on its way. Rejects if one did not arrive. */
  async #sent(): Promise<void> {
    await this.#sending;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
