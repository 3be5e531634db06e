import { statfs } from 'node:fs/promises';
import { undefinedIfMissing, storageFull } from './file-errors.ts';
import { directoryOf } from './storage-directory.ts';

/** Inodes to reserve; a small upload takes about eight. A small file system reserves only a hundredth of its inodes. */
const RESERVE_INODES = 1024;

/** Free space is read at most once in this time. */
const CHECK_PERIOD_MS = 1000;

/** Reserves free disk space, so that uploads leave space for Redis, logs and users. */
export class DiskSpace {
  readonly #directory: string;
  readonly #reserveBytes: number;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #isFull = false;

  /** @param reserveBytes 0 disables the check. */
  constructor(directory: string, reserveBytes: number) {
    this.#directory = directory;
    this.#reserveBytes = reserveBytes;
  }

  /** Rejects with `storage_full` (507) if less than the reserve or too few inodes are free. */
  async check(): Promise<void> {
    if (this.#reserveBytes === 0) return;
    const nowMs = performance.now();
    if (nowMs - this.#checkedAtMs >= CHECK_PERIOD_MS) {
      const found = await undefinedIfMissing(statfs(this.#directory));
      // The directory does not exist before the first object.
      if (found === undefined) return;
      this.#checkedAtMs = nowMs;
      const reserveInodes = Math.min(RESERVE_INODES, found.files / 100);
      // File systems without a fixed number of inodes report 0.
      this.#isFull = found.bavail * found.bsize < this.#reserveBytes || found.ffree < reserveInodes;
    }
    if (this.#isFull) throw storageFull();
  }
}

/** Space of a file system in bytes, for a user without special rights. */
export interface Space {
  freeBytes: number;
  totalBytes: number;
}

/** Returns the space of the storage. Undefined for a bucket, and if the directory cannot be read. */
export async function readSpace({ storage }: { storage: string }): Promise<Space | undefined> {
  const directory = directoryOf(storage);
  if (directory === undefined) return undefined;
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return undefined;
  }
}
