import { statfs } from 'node:fs/promises';
import { ServiceError } from '../errors.ts';
import { orUndefinedWhereMissing } from './file-errors.ts';

/** Free space is asked for at most this often. */
const LOOK_PERIOD_MS = 1000;

/** Keeps a reserve of free disk, so that a full disk of uploads leaves room for Redis, logs and people. */
export class DiskRoom {
  readonly #directory: string;
  readonly #reserveBytes: number;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #freeBytes = Number.POSITIVE_INFINITY;

  /** @param reserveBytes 0 looks at nothing. */
  constructor(directory: string, reserveBytes: number) {
    this.#directory = directory;
    this.#reserveBytes = reserveBytes;
  }

  /** Rejects with `storage_full` (507) where less than the reserve is free. */
  async check(): Promise<void> {
    if (this.#reserveBytes === 0) return;
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs >= LOOK_PERIOD_MS) {
      const found = await orUndefinedWhereMissing(statfs(this.#directory));
      // Before the first object there is no directory yet.
      if (found === undefined) return;
      this.#lookedAtMs = nowMs;
      this.#freeBytes = found.bavail * found.bsize;
    }
    if (this.#freeBytes >= this.#reserveBytes) return;
    throw new ServiceError('storage_full', 'The server has no room for more files at the moment. Try again later.');
  }
}
