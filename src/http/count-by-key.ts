/** Counts the open entries of each key. A key without an open entry takes no memory. */
export class CountByKey {
  readonly #counts = new Map<string, number>();

  /** The number of keys with an open entry. */
  get size(): number {
    return this.#counts.size;
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Adds one and returns the release, which is safe to call twice. */
  add(key: string): () => void {
    this.#counts.set(key, this.of(key) + 1);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      const left = this.of(key) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }
}
