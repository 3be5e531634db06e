import { ServiceError } from '../errors.ts';
import { CountByKey } from './count-by-key.ts';

/** Maximum number of streams. One person has fewer tabs open on one upload. */
const STREAMS_PER_UPLOAD = 10;

const RETRY_AFTER_MS = 30_000;

/** Limits the event streams of one client address on one upload. A page needs only one. */
export class StreamPlaces {
  readonly #open = new CountByKey();

  /** The number of pairs of address and upload with an open stream. */
  get size(): number {
    return this.#open.size;
  }

  /** Counts a stream and returns its release. Throws `too_many_held_by_address` (429). */
  enter(address: string, id: string): () => void {
    const key = `${address} ${id}`;
    if (this.#open.of(key) >= STREAMS_PER_UPLOAD)
      throw new ServiceError(
        'too_many_held_by_address',
        `Your address already has ${STREAMS_PER_UPLOAD} event streams on this upload. Close one and connect again.`,
        { id, retryAfterMs: RETRY_AFTER_MS },
      );
    return this.#open.add(key);
  }
}
