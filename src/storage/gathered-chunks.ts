/** Chunks below this are joined: each costs some hundred bytes of its own, however short it is. */
const SMALL_BYTES = 4096;

/** Small chunks are joined in pieces of memory of this size. */
const SLAB_BYTES = 16 * 1024;

const NOTHING = Buffer.alloc(0);

/**
 * Chunks on their way to an object, in order, until enough have come. A sender decides how long its chunks are: those of
 * one byte each, gathered as they come, would take two hundred times the memory of their bytes.
 */
export class GatheredChunks {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #slab = NOTHING;
  /** Where in the slab the small ones begin that are not among the chunks yet, and where the next goes. */
  #from = 0;
  #to = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Large ones are kept as they are: the buffer must not change afterwards. */
  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (chunk.length < SMALL_BYTES) return this.#join(chunk);
    this.#endPiece();
    this.#chunks.push(chunk);
  }

  /** All of them, the caller's from now on; none are left. */
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
