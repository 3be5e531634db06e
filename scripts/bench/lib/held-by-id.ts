/** Held requests by the id of their upload. */
export class HeldById<T extends object> {
  /** An upload usually has one client, for which a set would waste memory. */
  readonly #held = new Map<string, T | Set<T>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(id: string, one: T): void {
    const waiting = this.#held.get(id);
    if (waiting === undefined) this.#held.set(id, one);
    else if (waiting instanceof Set) waiting.add(one);
    else this.#held.set(id, new Set([waiting, one]));
    this.#count += 1;
  }

  /**
   * Returns the held requests of an upload as a copy, so that the caller may release them while it goes through them.
   */
  of(id: string): T[] {
    const waiting = this.#held.get(id);
    if (waiting === undefined) return [];
    return waiting instanceof Set ? [...waiting] : [waiting];
  }

  /** Removes a held request. Returns false if it was released before. */
  release(id: string, one: T): boolean {
    const waiting = this.#held.get(id);
    const isHeld = waiting instanceof Set ? waiting.delete(one) : waiting === one;
    if (!isHeld) return false;
    if (waiting === one || (waiting instanceof Set && waiting.size === 0)) this.#held.delete(id);
    this.#count -= 1;
    return true;
  }
}
