/** Reads many ids in one step. Returns a value, undefined or an error for each id, in the same order. */
export type ReadMany<T> = (ids: readonly string[]) => Promise<readonly (T | undefined | Error)[]>;

/** A read that has not ended. */
interface PendingRead<T> {
  promise: Promise<T | undefined>;
  resolve(value: T | undefined): void;
  reject(error: unknown): void;
}

/**
 * Joins reads: ids requested in the same turn are read in one step, and each id has at most one read under way. A
 * caller never shares a read that was sent before its call, because a change may lie between them; it shares the next
 * one.
 */
export class SharedReads<T> {
  readonly #readMany: ReadMany<T>;
  readonly #asked = new Map<string, PendingRead<T>>();
  readonly #sent = new Set<string>();
  #isScheduled = false;

  constructor(readMany: ReadMany<T>) {
    this.#readMany = readMany;
  }

  /** Rejects with the error of this id, or with that of the whole step. The value is shared: do not change it. */
  read(id: string): Promise<T | undefined> {
    const asked = this.#asked.get(id) ?? this.#ask(id);
    if (!this.#sent.has(id)) this.#schedule();
    return asked.promise;
  }

  #ask(id: string): PendingRead<T> {
    let settle: Pick<PendingRead<T>, 'resolve' | 'reject'> | undefined;
    const promise = new Promise<T | undefined>((resolve, reject) => (settle = { resolve, reject }));
    if (settle === undefined) throw new Error('a promise without its executor');
    const asked = { promise, ...settle };
    this.#asked.set(id, asked);
    return asked;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#sendPending();
    });
  }

  #sendPending(): void {
    const due = [...this.#asked].filter(([id]) => !this.#sent.has(id));
    if (due.length === 0) return;
    for (const [id] of due) {
      this.#asked.delete(id);
      this.#sent.add(id);
    }
    void this.#send(due);
  }

  async #send(due: readonly (readonly [string, PendingRead<T>])[]): Promise<void> {
    try {
      const values = await this.#readMany(due.map(([id]) => id));
      for (const [index, [, asked]] of due.entries()) {
        const value = values[index];
        if (value instanceof Error) asked.reject(value);
        else asked.resolve(value);
      }
    } catch (error) {
      for (const [, asked] of due) asked.reject(error);
    }
    for (const [id] of due) this.#sent.delete(id);
    this.#sendPending();
  }
}
