import { Buffer } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';

const WINDOW_BYTES = 65_536;

/** A file of which one piece at a time is in memory: small steps through it need no read each. */
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

  /** Opens the file for as long as `use` runs. Rejects with the signal's reason when it fires. */
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

  /** True if `bytes` can be taken at that place without a read. */
  holds(at: number, bytes: number): boolean {
    return at >= this.#start && at + bytes <= this.#start + this.#length;
  }

  /** Reads the piece that begins at `at`. False if the file ends before `bytes` more; at most 64 KiB. */
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

  /** Valid until the next `load`; only for what the window holds. */
  bytes(at: number, bytes: number): Buffer {
    return this.#buffer.subarray(at - this.#start, at - this.#start + bytes);
  }

  /** Both in one; undefined if the file ends before. Valid until the next read. */
  async read(at: number, bytes: number): Promise<Buffer | undefined> {
    return this.holds(at, bytes) || (await this.load(at, bytes)) ? this.bytes(at, bytes) : undefined;
  }

  /** A copy of a piece of any length; undefined if the file ends before. */
  async readAll(at: number, bytes: number): Promise<Buffer | undefined> {
    if (at + bytes > this.sizeBytes) return undefined;
    const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(bytes), 0, bytes, at);
    return bytesRead === bytes ? buffer : undefined;
  }
}
