import { isFinalState, type UploadState } from '../../src/wire/documents.ts';

/** One step of an upload through the queue. */
export interface Turn {
  readonly id: string;
  readonly step: 'waits' | 'taken' | 'left';
  /** True if an attempt has requeued the upload. Then it comes first, or waits for the end of a pause. */
  readonly isRequeued: boolean;
}

/**
 * Records in which order uploads enter the queue and are taken from it, in the order of Redis' event stream. The
 * script that takes an upload adds its event in the same step, so this is the order of the takes. A small file of a
 * form has no event when it enters the queue (ADR 28), so its first step is that it is taken.
 */
export class TurnLog {
  readonly #states = new Map<string, UploadState>();
  readonly #requeued = new Set<string>();
  readonly #turns: Turn[] = [];
  #isEnded = false;

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  change(id: string, { state }: { state: UploadState }): void {
    if (this.#isEnded) return;
    const last = this.#states.get(id);
    this.#states.set(id, state);
    if (state === last) return;
    if (state === 'queued') {
      if (last === 'processing') this.#requeued.add(id);
      else this.#requeued.delete(id);
      this.#add(id, 'waits');
    } else if (state === 'processing') this.#add(id, 'taken');
    else if (last === 'queued') this.#add(id, 'left');
    if (isFinalState(state)) this.#requeued.delete(id);
  }

  /** Ends the log, because Redis has lost changes, so the log no longer shows which uploads wait. */
  end(): void {
    this.#isEnded = true;
  }

  #add(id: string, step: Turn['step']): void {
    this.#turns.push({ id, step, isRequeued: this.#requeued.has(id) });
  }
}
