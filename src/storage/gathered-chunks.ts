/** Shorter chunks are joined, because each buffer costs some hundred bytes of memory. */
const SMALL_BYTES = 4096;

/** Small chunks are copied into buffers of this size. */
const SLAB_BYTES = 16 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * Collects the chunks of an object, in order, until they are written. The sender chooses the length of its chunks:
 * chunks of one byte would take two hundred times the memory of their bytes if they were not joined.
 */
export class GatheredChunks {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #slab = NOTHING;
  /** Offset in the slab of the first byte that is not in `#chunks` yet. */
  #from = 0;
  #to = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a chunk. Large ones are not copied, so the buffer must not change afterwards. */
  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (chunk.length < SMALL_BYTES) return this.#join(chunk);
    this.#endPiece();
    this.#chunks.push(chunk);
  }

  /** Returns all chunks and starts again with none. */
  take(): Buffer[] {
    this.#endPiece();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  #join(chunk: Buffer): void {
    if (this.#slab.length - this.#to < chunk.length) {
      this.#endPiece();
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#from = 0;
      this.#to = 0;
    }
    this.#to += chunk.copy(this.#slab, this.#to);
  }

  #endPiece(): void {
    if (this.#to > this.#from) this.#chunks.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
