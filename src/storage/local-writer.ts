import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskSpace } from './disk-space.ts';
import { asServiceError, isMissing, storageUnavailable } from './file-errors.ts';
import { GatheredChunks } from './gathered-chunks.ts';
import { FILE_MODE, syncFolder } from './local-folders.ts';
import type { ObjectWriter, SmallObject } from './storage.ts';

/** Chunks are collected up to this size and written in one vectored call. */
const GATHER_BYTES = 1024 * 1024;

/**
 * Written bytes are synced to the disk after each stretch of this size, so that the commit of a large file is short.
 */
const SYNC_BEHIND_BYTES = 64 * 1024 * 1024;

const DONE = Promise.resolve();

/** The ending of the name of an incomplete file. */
export const PART_ENDING = '.part';

/** The paths of an object before and after its commit. */
export interface LocalTarget {
  partPath: string;
  path: string;
  pathOf: (key: string) => string;
  space: DiskSpace;
  /** Removes the empty folders above the object. */
  cleanParents: () => Promise<void>;
}

/**
 * Writes to a part file in the same folder. `commit` makes it durable with fdatasync, a rename and an fsync of the
 * folder.
 */
export class LocalWriter implements ObjectWriter {
  readonly #target: LocalTarget;
  #file: FileHandle | undefined;
  readonly #gathered = new GatheredChunks();
  /** The running write. The next chunks are collected and hashed in the meantime. */
  #flushing = DONE;
  #unsyncedBytes = 0;
  #syncing: Promise<void> | undefined;

  constructor(file: FileHandle, target: LocalTarget) {
    this.#file = file;
    this.#target = target;
  }

  write(chunk: Buffer): Promise<void> {
    this.#gathered.add(chunk);
    return this.#gathered.bytes >= GATHER_BYTES ? this.#flushBehind() : DONE;
  }

  async commit(): Promise<void> {
    await this.#commit();
  }

  /** Writes the companion while the disk syncs the object. One fsync of the folder makes both names durable. */
  async commitWith(companion: SmallObject): Promise<void> {
    await this.#commit(companion);
  }

  async discard(): Promise<void> {
    const { partPath, cleanParents } = this.#target;
    const file = this.#file;
    this.#file = undefined;
    this.#gathered.take();
    await this.#flushing.catch(() => undefined);
    await this.#syncing;
    await file?.close().catch(() => undefined);
    for (const path of [partPath, companionPartOf(partPath)]) await unlink(path).catch(() => undefined);
    await cleanParents();
  }

  async #commit(companion?: SmallObject): Promise<void> {
    await this.#flushBehind();
    await this.#flushing;
    await this.#syncing;
    const { partPath, path, pathOf } = this.#target;
    try {
      await this.#sync(companion);
      await rename(partPath, path);
      if (companion !== undefined) await rename(companionPartOf(partPath), pathOf(companion.key));
      await syncFolder(dirname(path));
    } catch (error) {
      // The janitor has removed the file because the sender was slow. The client can send it again.
      throw isMissing(error) ? storageUnavailable(error) : asServiceError(error);
    }
  }

  async #sync(companion: SmallObject | undefined): Promise<void> {
    const file = this.#opened();
    const synced = await Promise.allSettled([
      file.datasync(),
      companion === undefined ? DONE : writeDurably(companionPartOf(this.#target.partPath), companion.bytes),
    ]);
    // Both must have ended before this rejects, so that the caller can remove their files.
    for (const part of synced) if (part.status === 'rejected') throw part.reason;
    await file.close();
    this.#file = undefined;
  }

  /** Starts to write the collected chunks. Waits only for the previous write, and rejects if that one failed. */
  async #flushBehind(): Promise<void> {
    await this.#flushing;
    this.#flushing = this.#flush();
    // The next `write` or `commit` reports the error.
    this.#flushing.catch(() => undefined);
  }

  async #flush(): Promise<void> {
    let leftBytes = this.#gathered.bytes;
    const chunks = this.#gathered.take();
    await this.#target.space.check();
    while (leftBytes > 0) {
      const { bytesWritten } = await this.#opened()
        .writev(chunks)
        .catch((error: unknown) => {
          throw asServiceError(error);
        });
      leftBytes -= bytesWritten;
      this.#unsyncedBytes += bytesWritten;
      dropWritten(chunks, bytesWritten);
    }
    if (this.#unsyncedBytes >= SYNC_BEHIND_BYTES && this.#syncing === undefined) this.#syncBehind();
  }

  /** One sync at a time. An error is ignored here: the sync of the commit reports it. */
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
    if (this.#file === undefined) throw new Error('the object has already ended');
    return this.#file;
  }
}

/** A vectored write may write fewer bytes, for example on a disk that is almost full. */
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

function companionPartOf(partPath: string): string {
  return `${partPath}.beside${PART_ENDING}`;
}

/** Writes a small new file and syncs its bytes to the disk. Rejects with `EEXIST` if the file exists. */
export async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}
