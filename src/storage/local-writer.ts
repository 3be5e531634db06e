import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskSpace } from './disk-space.ts';
import { FileBytes } from './file-bytes.ts';
import { asServiceError, isMissing, storageUnavailable } from './file-errors.ts';
import { FILE_MODE, syncFolder } from './local-folders.ts';
import type { ObjectWriter, SmallObject } from './storage.ts';

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
  readonly #bytes: FileBytes;

  constructor(file: FileHandle, target: LocalTarget) {
    this.#file = file;
    this.#bytes = new FileBytes(file, target.space, { syncBehindBytes: SYNC_BEHIND_BYTES });
    this.#target = target;
  }

  write(chunk: Buffer): Promise<void> {
    return this.#bytes.write(chunk);
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
    await this.#bytes.drop();
    await file?.close().catch(() => undefined);
    for (const path of [partPath, companionPartOf(partPath)]) await unlink(path).catch(() => undefined);
    await cleanParents();
  }

  async #commit(companion?: SmallObject): Promise<void> {
    await this.#bytes.flush();
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
    // Both writes must have ended before this rejects, so that the caller can remove their files.
    for (const part of synced) if (part.status === 'rejected') throw part.reason;
    await file.close();
    this.#file = undefined;
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('the object has already ended');
    return this.#file;
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
