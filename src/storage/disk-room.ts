import { statfs } from 'node:fs/promises';
import { orUndefinedWhereMissing, storageFull } from './file-errors.ts';

/** A small upload takes about eight inodes. No more than a hundredth of all is reserved, for small file systems. */
const RESERVE_INODES = 1024;

/** Free space is asked for at most this often. */
const LOOK_PERIOD_MS = 1000;

/** Keeps a reserve of free disk, so that a full disk of uploads leaves room for Redis, logs and people. */
export class DiskRoom {
  readonly #directory: string;
  readonly #reserveBytes: number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #isFull = false;

  /** @param reserveBytes 0 looks at nothing. */
  constructor(directory: string, reserveBytes: number) {
    this.#directory = directory;
    this.#reserveBytes = reserveBytes;
  }

  /** Rejects with `storage_full` (507) if less than the reserve is free, or hardly any inode. */
  async check(): Promise<void> {
    if (this.#reserveBytes === 0) return;
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs >= LOOK_PERIOD_MS) {
      const found = await orUndefinedWhereMissing(statfs(this.#directory));
      // Before the first object there is no directory yet.
      if (found === undefined) return;
      this.#lookedAtMs = nowMs;
      const reserveInodes = Math.min(RESERVE_INODES, found.files / 100);
      // Some file systems have no fixed number of inodes, and report 0.
      this.#isFull = found.bavail * found.bsize < this.#reserveBytes || found.ffree < reserveInodes;
    }
    if (this.#isFull) throw storageFull();
  }
}
