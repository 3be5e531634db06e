import { ServiceError } from '../errors.ts';

/** More than the tabs that one person has open on one upload. */
const STREAMS_PER_UPLOAD = 10;

const RETRY_AFTER_MS = 30_000;

/** Bounds the event streams that one client address keeps of one upload: they end late, and one is enough for a page. */
export class StreamPlaces {
  readonly #open = new Map<string, number>();

  /** Addresses and uploads that have a stream now. */
  get size(): number {
    return this.#open.size;
  }

  /** Returns the release. Throws `too_many_held_by_address` (429). */
  enter(address: string, id: string): () => void {
    const key = `${address} ${id}`;
    const open = this.#open.get(key) ?? 0;
    if (open >= STREAMS_PER_UPLOAD)
      throw new ServiceError(
        'too_many_held_by_address',
        `One address may follow an upload with ${STREAMS_PER_UPLOAD} event streams at once. Close one and connect again.`,
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
