import type { FileHandle } from 'node:fs/promises';
import type { DiskSpace } from './disk-space.ts';
import { asServiceError } from './file-errors.ts';
import { GatheredChunks } from './gathered-chunks.ts';

/** Chunks are collected up to this size by default, and written in one vectored call. */
const GATHER_BYTES = 1024 * 1024;

/** The parameters with which a file is written. */
export interface FileBytesOptions {
  /** Where the first chunk belongs. Default 0. */
  position?: number;
  /**
   * Written bytes are synced to the disk after each stretch of this size, so that the last sync of a large file is
   * short. Default: never.
   */
  syncBehindBytes?: number;
  /** Up to twice as many bytes are in memory. Default: 1 MiB. */
  gatherBytes?: number;
}

const DONE = Promise.resolve();

/** Writes chunks to an open file, one after the other. The next chunks are collected while a write runs. */
export class FileBytes {
  readonly #file: FileHandle;
  readonly #space: DiskSpace;
  readonly #syncBehindBytes: number;
  readonly #gatherBytes: number;
  readonly #gathered = new GatheredChunks();
  #position: number;
  /** Resolves when all writes until now have ended. It rejects from the first failed write on. */
  #flushing = DONE;
  #unsyncedBytes = 0;
  #syncing: Promise<void> | undefined;

  constructor(
    file: FileHandle,
    space: DiskSpace,
    { position = 0, syncBehindBytes = Number.POSITIVE_INFINITY, gatherBytes = GATHER_BYTES }: FileBytesOptions = {},
  ) {
    this.#file = file;
    this.#space = space;
    this.#position = position;
    this.#syncBehindBytes = syncBehindBytes;
    this.#gatherBytes = gatherBytes;
  }

  /** All bytes before this position are in the file. Later chunks may be in memory. */
  get position(): number {
    return this.#position;
  }

  /** Waits only for the previous write, and rejects if that one failed. */
  write(chunk: Buffer): Promise<void> {
    this.#gathered.add(chunk);
    if (this.#gathered.bytes < this.#gatherBytes) return DONE;
    const previous = this.#flushing;
    this.#flushLater();
    return previous;
  }

  /** Writes the collected chunks. Resolves when all writes and syncs have ended. */
  async flush(): Promise<void> {
    this.#flushLater();
    await this.#flushing;
    await this.#syncing;
  }

  /** Drops the collected chunks. Resolves when no write runs. */
  async drop(): Promise<void> {
    this.#gathered.take();
    await this.#flushing.catch(() => undefined);
    await this.#syncing;
  }

  #flushLater(): void {
    this.#flushing = this.#flushing.then(() => this.#flush());
    // The next `write` or `flush` reports the error.
    this.#flushing.catch(() => undefined);
  }

  async #flush(): Promise<void> {
    let leftBytes = this.#gathered.bytes;
    const chunks = this.#gathered.take();
    await this.#space.check();
    while (leftBytes > 0) {
      const { bytesWritten } = await this.#file.writev(chunks, this.#position).catch((error: unknown) => {
        throw asServiceError(error);
      });
      leftBytes -= bytesWritten;
      this.#position += bytesWritten;
      this.#unsyncedBytes += bytesWritten;
      dropWritten(chunks, bytesWritten);
    }
    if (this.#unsyncedBytes >= this.#syncBehindBytes && this.#syncing === undefined) this.#syncBehind();
  }

  /** Runs one sync at a time. An error is ignored here: the last sync of the file reports it. */
  #syncBehind(): void {
    this.#unsyncedBytes = 0;
    this.#syncing = this.#file
      .datasync()
      .catch(() => undefined)
      .finally(() => {
        this.#syncing = undefined;
      });
  }
}

/** Drops the written bytes. A vectored write may write fewer than it gets, as on a disk that is almost full. */
function dropWritten(chunks: Buffer[], bytesWritten: number): void {
  let left = bytesWritten;
  for (let first = chunks[0]; first !== undefined && left > 0; first = chunks[0]) {
    if (left < first.length) {
      chunks[0] = first.subarray(left);
      return;
    }
    left -= first.length;
    chunks.shift();
  }
}
