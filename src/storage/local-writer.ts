import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskRoom } from './disk-room.ts';
import { asServiceError, orUndefinedWhereMissing } from './file-errors.ts';
import type { ObjectWriter } from './storage.ts';

/** Chunks are gathered up to this and written in one vectored call. */
const GATHER_BYTES = 1024 * 1024;

/** So much may lie in the system's cache before it is sent to the disk, so that the end of a large file has little left to wait for. */
const SYNC_BEHIND_BYTES = 64 * 1024 * 1024;

const TAKEN = Promise.resolve();

/** Writes beside its place; `commit` makes it durable with fdatasync, a rename, and an fsync of the directory. */
export class LocalWriter implements ObjectWriter {
  readonly #partPath: string;
  readonly #path: string;
  readonly #room: DiskRoom;
  readonly #cleanParents: () => Promise<void>;
  #file: FileHandle | undefined;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  /** The write under way: the next chunks gather, and are hashed, beside it. */
  #flushing = TAKEN;
  #unsyncedBytes = 0;
  #syncing: Promise<void> | undefined;

  constructor(file: FileHandle, partPath: string, path: string, room: DiskRoom, cleanParents: () => Promise<void>) {
    this.#file = file;
    this.#partPath = partPath;
    this.#path = path;
    this.#room = room;
    this.#cleanParents = cleanParents;
  }

  write(chunk: Buffer): Promise<void> {
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    return this.#gatheredBytes >= GATHER_BYTES ? this.#flushBehind() : TAKEN;
  }

  async commit(): Promise<void> {
    await this.#flushBehind();
    await this.#flushing;
    await this.#syncing;
    const file = this.#opened();
    try {
      await file.datasync();
      await file.close();
      this.#file = undefined;
      await rename(this.#partPath, this.#path);
      await syncDirectory(dirname(this.#path));
    } catch (error) {
      throw asServiceError(error);
    }
  }

  async discard(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#gathered = [];
    await this.#flushing.catch(() => undefined);
    await this.#syncing;
    await file?.close().catch(() => undefined);
    await orUndefinedWhereMissing(unlink(this.#partPath));
    await this.#cleanParents();
  }

  /** Begins to write what has gathered; waits for the write before it alone, and rejects as that one did. */
  async #flushBehind(): Promise<void> {
    await this.#flushing;
    this.#flushing = this.#flush();
    // Told to the next one who writes or commits.
    this.#flushing.catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const chunks = this.#gathered;
    let leftBytes = this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    await this.#room.check();
    while (leftBytes > 0) {
      const { bytesWritten } = await this.#opened().writev(chunks).catch((error: unknown) => {
        throw asServiceError(error);
      });
      leftBytes -= bytesWritten;
      this.#unsyncedBytes += bytesWritten;
      dropWritten(chunks, bytesWritten);
    }
    if (this.#unsyncedBytes >= SYNC_BEHIND_BYTES && this.#syncing === undefined) this.#syncBehind();
  }

  /** One at a time. What fails here fails again at the end, where somebody is told. */
  #syncBehind(): void {
    this.#unsyncedBytes = 0;
    this.#syncing = this.#opened()
      .datasync()
      .catch(() => undefined)
      .finally(() => {
        this.#syncing = undefined;
      });
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('the object is ended already');
    return this.#file;
  }
}

/** A vectored write may stop short, as on a disk that is about to be full. */
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

/** Makes what was created in or renamed into a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
