const PAGE_BYTES = 65_536;

/** Bounds the memory of one instance of a WebAssembly library. */
export class MemoryCap {
  #maxBytes: number;
  /** True if the last request for memory has failed. Emscripten asks for more than it needs first. */
  isReached = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Lets the memory grow to `maxBytes` from now on. */
  raiseTo(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  /** Limits every memory among the exports. Emscripten treats the error as a failed allocation. */
  applyTo(exports: WebAssembly.Exports): void {
    for (const memory of Object.values(exports)) {
      if (!(memory instanceof WebAssembly.Memory)) continue;
      const grow = memory.grow.bind(memory);
      memory.grow = (pages) => {
        this.isReached = memory.buffer.byteLength + pages * PAGE_BYTES > this.#maxBytes;
        if (!this.isReached) return grow(pages);
        throw new RangeError('the memory of the library has reached its limit');
      };
    }
  }
}
