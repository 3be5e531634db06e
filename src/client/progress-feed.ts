import type { Progress } from '../wire/documents.ts';
import { withResolvers } from './with-resolvers.ts';

/**
 * Delivers the progress of one upload to any number of readers. The percent never goes down. Each iterator starts with
 * the current progress and then yields the newest one, so a slow reader skips values. The listener receives every
 * value.
 */
export class ProgressFeed implements AsyncIterable<Progress> {
  readonly #listener: ((progress: Progress) => void) | undefined;
  #latest: Progress | null = null;
  #ended = false;
  #changed = withResolvers<void>();

  constructor(listener?: (progress: Progress) => void) {
    this.#listener = listener;
  }

  /** Null before the first progress. */
  get latest(): Progress | null {
    return this.#latest;
  }

  /** Does nothing after `end`. */
  push(progress: Progress): void {
    if (this.#ended) return;
    this.#latest = neverBelow(progress, this.#latest);
    this.#wake();
    this.#listener?.(this.#latest);
  }

  /** Ends all iterators. A second call does nothing. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Progress, void, void> {
    let seen: Progress | null = null;
    for (;;) {
      // The promise is taken before the check, so that a change while the reader is busy is not missed.
      const change = this.#changed.promise;
      const latest = this.#latest;
      if (latest !== null && latest !== seen) {
        seen = latest;
        yield latest;
      } else if (this.#ended) {
        return;
      } else {
        await change;
      }
    }
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = withResolvers<void>();
    resolve();
  }
}

/** Keeps the percent from going down: a repeated transfer or a restored record may start at a lower one. */
function neverBelow(progress: Progress, previous: Progress | null): Progress {
  if (previous === null || progress.percent >= previous.percent) return progress;
  return { ...progress, percent: previous.percent };
}
