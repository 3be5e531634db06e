import { ServiceError } from '../errors.ts';
import { storageUnavailable } from './file-errors.ts';
import type { Installation } from './installation.ts';
import type { Storage } from './storage.ts';

/** A result is valid for this time, because load balancers may ask often, and many processes. */
const VALID_MS = 3_000;

/** Longest check, because a mount that hangs never answers. */
const LIMIT_MS = 2_000;

/** Checks whether the storage can be read and written now, at most once in `VALID_MS`. */
export class StorageCheck {
  readonly #storage: Pick<Storage, 'probe'>;
  readonly #installation: Pick<Installation, 'verify'>;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #result: Promise<unknown> = Promise.resolve();
  #isUnderWay = false;
  #isAvailable = true;

  constructor(storage: Pick<Storage, 'probe'>, installation: Pick<Installation, 'verify'>) {
    this.#storage = storage;
    this.#installation = installation;
  }

  /** The result of the last check. */
  get isAvailable(): boolean {
    return this.#isAvailable;
  }

  /** Rejects with `storage_unavailable` (503), or with the error of the storage or Redis if they do not respond. */
  async assert(): Promise<void> {
    const isOld = performance.now() - this.#checkedAtMs >= VALID_MS;
    if (isOld && !this.#isUnderWay) this.#result = this.#check();
    const error = await within(LIMIT_MS, this.#result);
    this.#isAvailable = error === undefined;
    if (error !== undefined) throw error;
  }

  /** Resolves with the error, undefined if the storage can be used. */
  async #check(): Promise<unknown> {
    this.#isUnderWay = true;
    this.#checkedAtMs = performance.now();
    try {
      await this.#installation.verify();
      await this.#storage.probe('cheap');
      return undefined;
    } catch (error) {
      // A full disk rejects only uploads. The process can still answer all other requests.
      const isFull = error instanceof ServiceError && error.code === 'storage_full';
      return isFull ? undefined : error;
    } finally {
      this.#isUnderWay = false;
    }
  }
}

async function within(limitMs: number, result: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<unknown>((resolve) => {
    timer = setTimeout(() => resolve(storageUnavailable(new Error('the storage does not respond'))), limitMs);
  });
  const first = await Promise.race([result, late]);
  clearTimeout(timer);
  return first;
}
