/** A chunk, the end of the file (no bytes), or a failure in the isolated process. */
export type PulledChunk = { readonly bytes?: Uint8Array } | { readonly failed: true };

/** Thrown if the isolated process sends no more chunks. Either it reports the reason itself, or it has ended. */
export class ChunksEnded extends Error {
  override readonly name = 'ChunksEnded';
}

/**
 * The chunks of a file that an isolated process produces. Each chunk is requested after the previous one is written.
 */
export class PulledChunks implements AsyncIterable<Buffer> {
  readonly #ask: () => void;
  #isCut = false;
  #waiting: { resolve: (chunk: PulledChunk) => void; reject: (error: Error) => void } | undefined;

  /** @param ask requests the next chunk */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** Call it with each chunk that arrives. */
  answer(chunk: PulledChunk): void {
    this.#waiting?.resolve(chunk);
  }

  /** Call it when the process has ended: no more chunks will arrive. */
  cut(): void {
    this.#isCut = true;
    this.#waiting?.reject(new ChunksEnded('the isolated process has ended'));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (true) {
      const answered = new Promise<PulledChunk>((resolve, reject) => (this.#waiting = { resolve, reject }));
      // The process may have ended while the previous chunk was being written.
      if (this.#isCut) this.cut();
      else this.#ask();
      const chunk = await answered;
      if ('failed' in chunk) throw new ChunksEnded('the isolated process failed to produce the file');
      if (chunk.bytes === undefined) return;
      yield Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.byteLength);
    }
  }
}
