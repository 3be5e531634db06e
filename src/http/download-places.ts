import { ServiceError } from '../errors.ts';
import { CountByKey } from './count-by-key.ts';

const RETRY_AFTER_MS = 10_000;

/** Limits the downloads of one kind that one process makes at the same time. */
export class DownloadPlaces {
  readonly #max: number;
  readonly #maxPerAddress: number;
  readonly #byAddress = new CountByKey();
  #taken = 0;

  constructor(bounds: { max: number; maxPerAddress: number }) {
    this.#max = bounds.max;
    this.#maxPerAddress = bounds.maxPerAddress;
  }

  /** The number of downloads that are being made. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Counts a download and returns its release, which is safe to call twice. Throws `too_many_held` (503) and
   * `too_many_held_by_address` (429).
   */
  enter(address: string): () => void {
    if (this.#byAddress.of(address) >= this.#maxPerAddress)
      throw new ServiceError(
        'too_many_held_by_address',
        `Your address already has ${this.#maxPerAddress} such downloads. Retry after the time in Retry-After.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    if (this.#taken >= this.#max)
      throw new ServiceError(
        'too_many_held',
        'The service is sending its maximum number of such downloads. Retry after the time in Retry-After.',
        { retryAfterMs: RETRY_AFTER_MS },
      );
    this.#taken += 1;
    const leave = this.#byAddress.add(address);
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.#taken -= 1;
      leave();
    };
  }
}
