import type { Progress } from '../wire/documents.ts';
import { withResolvers } from './with-resolvers.ts';

/**
 * What becomes of one upload, told to any number of readers, never backwards. Each iterator
 * starts with the present standing and then gives the newest one: a slow reader skips what
 * it was too late for. The listener is called with every single one.
 */
export class ProgressFeed implements AsyncIterable<Progress> {
  readonly #listener: ((progress: Progress) => void) | undefined;
  #latest: Progress | null = null;
  #ended = false;
  #changed = withResolvers<void>();

  constructor(listener?: (progress: Progress) => void) {
    this.#listener = listener;
  }

  /** Null until the server has told of it. */
  get latest(): Progress | null {
    return this.#latest;
  }

  /** Ignored once the feed has ended. */
  push(progress: Progress): void {
    if (this.#ended) return;
    this.#latest = neverBelow(progress, this.#latest);
    this.#wake();
    this.#listener?.(this.#latest);
  }

  /** Ends all iterators; calling it again does nothing. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Progress, void, void> {
    let seen: Progress | null = null;
    for (;;) {
      // Taken before the look, so that a change during the reader's own work is not slept through.
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

/** A file that is sent anew, or a record that was restored, may start lower: people are not to see that. */
function neverBelow(progress: Progress, previous: Progress | null): Progress {
  if (previous === null || progress.percent >= previous.percent) return progress;
  return { ...progress, percent: previous.percent };
}
