const PAGE_BYTES = 65_536;

/** Bounds the memory of one instance of a WebAssembly library. */
export class MemoryCap {
  #maxBytes: number;
  /** True if the library has asked for more memory than it may have. */
  isReached = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Lets the memory grow to `maxBytes` from now on. */
  raiseTo(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  /** Applies to every memory among the exports. Emscripten treats the error as a failed allocation. */
  applyTo(exports: WebAssembly.Exports): void {
    for (const memory of Object.values(exports)) {
      if (!(memory instanceof WebAssembly.Memory)) continue;
      const grow = memory.grow.bind(memory);
      memory.grow = (pages) => {
        if (memory.buffer.byteLength + pages * PAGE_BYTES <= this.#maxBytes) return grow(pages);
        this.isReached = true;
        throw new RangeError('the memory of the library has reached its limit');
      };
    }
  }
}
