import { ServiceError } from '../errors.ts';

/** One person has fewer tabs open on one upload. */
const STREAMS_PER_UPLOAD = 10;

const RETRY_AFTER_MS = 30_000;

/** Limits the event streams of one client address on one upload. A page needs only one. */
export class StreamPlaces {
  readonly #open = new Map<string, number>();

  /** The number of pairs of address and upload with an open stream. */
  get size(): number {
    return this.#open.size;
  }

  /** Counts a stream and returns its release. Throws `too_many_held_by_address` (429). */
  enter(address: string, id: string): () => void {
    const key = `${address} ${id}`;
    const open = this.#open.get(key) ?? 0;
    if (open >= STREAMS_PER_UPLOAD)
      throw new ServiceError(
        'too_many_held_by_address',
        `Your address already has ${STREAMS_PER_UPLOAD} event streams on this upload. Close one and connect again.`,
        { id, retryAfterMs: RETRY_AFTER_MS },
      );
    this.#open.set(key, open + 1);
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.#leave(key);
    };
  }

  #leave(key: string): void {
    const left = (this.#open.get(key) ?? 0) - 1;
    if (left > 0) this.#open.set(key, left);
    else this.#open.delete(key);
  }
}
