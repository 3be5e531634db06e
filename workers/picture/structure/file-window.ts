import { Buffer } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';

const WINDOW_BYTES = 65_536;

/** A file with one piece in memory at a time, so that small steps through it do not need a read each. */
export class FileWindow {
  readonly #file: FileHandle;
  readonly #signal: AbortSignal;
  readonly sizeBytes: number;
  readonly #buffer = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #start = 0;
  #length = 0;

  private constructor(file: FileHandle, sizeBytes: number, signal: AbortSignal) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.#signal = signal;
  }

  /** Opens the file while `use` runs. Rejects with the reason of the signal if it is aborted. */
  static async over<Value>(
    path: string,
    signal: AbortSignal,
    use: (window: FileWindow) => Promise<Value>,
  ): Promise<Value> {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      return await use(new FileWindow(file, size, signal));
    } finally {
      await file.close();
    }
  }

  /** True if these bytes are already in memory. */
  holds(at: number, bytes: number): boolean {
    return at >= this.#start && at + bytes <= this.#start + this.#length;
  }

  /**
   * Reads the piece that begins at `at`. Returns false if the file has fewer than `bytes` bytes left. At most 64 KiB.
   */
  async load(at: number, bytes: number): Promise<boolean> {
    this.#signal.throwIfAborted();
    if (!(at >= 0 && at + bytes <= this.sizeBytes)) return false;
    this.#length = 0;
    this.#start = at;
    while (this.#length < bytes) {
      const { bytesRead } = await this.#file.read(
        this.#buffer,
        this.#length,
        WINDOW_BYTES - this.#length,
        at + this.#length,
      );
      if (bytesRead === 0) return false;
      this.#length += bytesRead;
    }
    return true;
  }

  /** Returns bytes that are in memory. They are valid until the next `load`. */
  bytes(at: number, bytes: number): Buffer {
    return this.#buffer.subarray(at - this.#start, at - this.#start + bytes);
  }

  /**
   * Returns bytes, loading them if necessary, or undefined if the file ends before. They are valid until the next read.
   */
  async read(at: number, bytes: number): Promise<Buffer | undefined> {
    return this.holds(at, bytes) || (await this.load(at, bytes)) ? this.bytes(at, bytes) : undefined;
  }

  /** Returns a copy of a piece of any length, or undefined if the file ends before. */
  async readAll(at: number, bytes: number): Promise<Buffer | undefined> {
    if (at + bytes > this.sizeBytes) return undefined;
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(bytes), 0, bytes, at);
    return bytesRead === bytes ? buffer : undefined;
  }
}
