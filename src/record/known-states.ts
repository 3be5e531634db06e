import { isFinalState } from '../wire/documents.ts';
import type { ProgressState } from './progress.ts';

/** The largest number of uploads that are kept. */
const MAX_KEPT = 2_000;

/** Life of a state. A client polls again right after an event, and an older state could be out of date. */
const KEPT_MS = 5_000;

interface KnownState {
  readonly state: ProgressState;
  readonly untilMs: number;
}

/**
 * The newest states of uploads, from the events of a feed that reports all changes. A client that polls again after
 * such an event needs no read. Queued uploads are left out because their position is only in the record, and final ones
 * because nobody waits for a change of them.
 */
export class KnownStates {
  readonly #states = new Map<string, KnownState>();

  get(id: string): ProgressState | undefined {
    const known = this.#states.get(id);
    return known === undefined || known.untilMs < performance.now() ? undefined : known.state;
  }

  /** Keeps the state of an event. A lower version is late, or comes from a restored record, so nothing is kept then. */
  changed(state: ProgressState): void {
    const { id, version } = state;
    const before = this.#states.get(id);
    this.#states.delete(id);
    if (state.deleted || state.state === 'queued' || isFinalState(state.state)) return;
    if (before !== undefined && before.state.version > version) return;
    this.#states.set(id, { state, untilMs: performance.now() + KEPT_MS });
    if (this.#states.size <= MAX_KEPT) return;
    const [oldest = ''] = this.#states.keys();
    this.#states.delete(oldest);
  }

  /** Forgets the state of an upload that has changed in an unknown way. */
  forget(id: string): void {
    this.#states.delete(id);
  }

  /** Forgets all states, because changes may have been missed. */
  forgetAll(): void {
    this.#states.clear();
  }
}
