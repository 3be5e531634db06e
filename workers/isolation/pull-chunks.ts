/** One piece of a file, without bytes for its end, or that there will be no more because of a fault over there. */
export type PulledChunk = { readonly bytes?: Uint8Array } | { readonly failed: true };

/** The other process makes no more of the file: it says itself why, or has ended. */
export class ChunksEnded extends Error {
  override readonly name = 'ChunksEnded';
}

/** Chunks of one file that are made in another process, each fetched when the one before it is written. */
export class PulledChunks implements AsyncIterable<Buffer> {
  readonly #ask: () => void;
  #isCut = false;
  #waiting: { resolve: (chunk: PulledChunk) => void; reject: (error: Error) => void } | undefined;

  /** @param ask sends for the next chunk. */
  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** What has come. */
  answer(chunk: PulledChunk): void {
    this.#waiting?.resolve(chunk);
  }

  /** Nothing more will come: the process is gone. */
  cut(): void {
    this.#isCut = true;
    this.#waiting?.reject(new ChunksEnded('the process that makes the file has ended'));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (true) {
      const answered = new Promise<PulledChunk>((resolve, reject) => (this.#waiting = { resolve, reject }));
      // It may have gone while the chunk before was written, when nobody waited.
      if (this.#isCut) this.cut();
      else this.#ask();
      const chunk = await answered;
      if ('failed' in chunk) throw new ChunksEnded('the process could not make the file');
      if (chunk.bytes === undefined) return;
      yield Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.byteLength);
    }
  }
}
