import { isFinalState } from '../wire/documents.ts';
import type { ProgressState } from './progress.ts';

/** Most uploads that are kept. Only uploads between an event and the next poll matter. */
const MAX_KEPT = 2_000;

/**
 * The newest states of uploads, from the events of a feed that reports all changes. A client that polls again after
 * such an event needs no read. Queued uploads are left out because their position is only in the record, and final ones
 * because nobody waits for a change of them.
 */
export class KnownStates {
  readonly #states = new Map<string, ProgressState>();

  get(id: string): ProgressState | undefined {
    return this.#states.get(id);
  }

  /** Keeps the state of an event. A lower version is late, or comes from a restored record, so nothing is kept then. */
  changed(state: ProgressState): void {
    const { id, version } = state;
    const before = this.#states.get(id);
    this.#states.delete(id);
    if (state.deleted || state.state === 'queued' || isFinalState(state.state)) return;
    if (before !== undefined && before.version > version) return;
    this.#states.set(id, state);
    if (this.#states.size <= MAX_KEPT) return;
    const [oldest = ''] = this.#states.keys();
    this.#states.delete(oldest);
  }

  /** The upload has changed, and its new state is not known. */
  forget(id: string): void {
    this.#states.delete(id);
  }

  /** Changes may have been missed. */
  forgetAll(): void {
    this.#states.clear();
  }
}
