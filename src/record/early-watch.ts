import type { Registry } from '../deferred/registry.ts';
import { isFinalState } from '../wire/documents.ts';
import type { ProgressState } from './progress.ts';

/**
 * Follows one upload from before it is queued until its waiter is registered. If it has not ended by then, the waiter
 * needs no first read. End it with `release`.
 */
export class EarlyWatch {
  readonly #registry: Registry<ProgressState>;
  #id: string | undefined;
  #mayHaveEnded = false;
  #release: (() => void) | undefined;

  constructor(registry: Registry<ProgressState>) {
    this.#registry = registry;
  }

  /** Call it at most once, before the script that queues the upload is sent. */
  begin(id: string): void {
    this.#id = id;
    this.#release = this.#registry.register([id], (event) => {
      // A wake without an event means that some events may be lost.
      if (event === undefined || isFinalState(event.state)) this.#mayHaveEnded = true;
    });
    // A source of events that is not ready yet may lose the first ones.
    if (this.#registry.listening([id]) !== undefined) this.#mayHaveEnded = true;
  }

  /** True if `ids` has only this upload, and it has not ended since `begin`. */
  isCurrent(ids: readonly string[]): boolean {
    return ids.length === 1 && ids[0] === this.#id && !this.#mayHaveEnded;
  }

  /** Ends the watch. Safe to call twice, and without `begin`. */
  release(): void {
    this.#release?.();
  }
}
