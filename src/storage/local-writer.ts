import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskRoom } from './disk-room.ts';
import { asServiceError, isMissing, orUndefinedWhereMissing, storageUnavailable } from './file-errors.ts';
import { GatheredChunks } from './gathered-chunks.ts';
import { FILE_MODE, syncFolder } from './local-folders.ts';
import type { ObjectWriter, SmallObject } from './storage.ts';

/** Chunks are gathered up to this and written in one vectored call. */
const GATHER_BYTES = 1024 * 1024;

/** So much may lie in the system's cache before it is sent to the disk, so that the end of a large file has little left to wait for. */
const SYNC_BEHIND_BYTES = 64 * 1024 * 1024;

const TAKEN = Promise.resolve();

/** The name of a file that is not whole yet ends so. */
export const PART_ENDING = '.part';

/** Where an object is written, and where it goes. */
export interface LocalTarget {
  partPath: string;
  path: string;
  pathOf: (key: string) => string;
  room: DiskRoom;
  /** Removes the folders above it that are empty. */
  cleanParents: () => Promise<void>;
}

/** Writes beside its place; `commit` makes it durable with fdatasync, a rename, and an fsync of the directory. */
export class LocalWriter implements ObjectWriter {
  readonly #target: LocalTarget;
  #file: FileHandle | undefined;
  readonly #gathered = new GatheredChunks();
  /** The write under way: the next chunks gather, and are hashed, beside it. */
  #flushing = TAKEN;
  #unsyncedBytes = 0;
  #syncing: Promise<void> | undefined;

  constructor(file: FileHandle, target: LocalTarget) {
    this.#file = file;
    this.#target = target;
  }

  write(chunk: Buffer): Promise<void> {
    this.#gathered.add(chunk);
    return this.#gathered.bytes >= GATHER_BYTES ? this.#flushBehind() : TAKEN;
  }

  async commit(): Promise<void> {
    await this.#commit();
  }

  /** The companion is written while the disk is busy with the object, and one sync of their folder does for both names. */
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
    await orUndefinedWhereMissing(unlink(partPath));
    await orUndefinedWhereMissing(unlink(companionPartOf(partPath)));
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
      // The janitor may have taken a sender for dead that was only slow, and removed its file: it can send again.
      throw isMissing(error) ? storageUnavailable(error) : asServiceError(error);
    }
  }

  async #sync(companion: SmallObject | undefined): Promise<void> {
    const file = this.#opened();
    const synced = await Promise.allSettled([
      file.datasync(),
      companion === undefined ? TAKEN : writeDurably(companionPartOf(this.#target.partPath), companion.bytes),
    ]);
    // Both have ended when it rejects, so that what they have written can be removed.
    for (const part of synced) if (part.status === 'rejected') throw part.reason;
    await file.close();
    this.#file = undefined;
  }

  /** Begins to write what has gathered; waits for the write before it alone, and rejects as that one did. */
  async #flushBehind(): Promise<void> {
    await this.#flushing;
    this.#flushing = this.#flush();
    // Told to the next one who writes or commits.
    this.#flushing.catch(() => undefined);
  }

  async #flush(): Promise<void> {
    let leftBytes = this.#gathered.bytes;
    const chunks = this.#gathered.take();
    await this.#target.room.check();
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

function companionPartOf(partPath: string): string {
  return `${partPath}.beside${PART_ENDING}`;
}

/** Writes a small new file and its bytes to the disk. Rejects with `EEXIST` if there is one. */
export async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
}
