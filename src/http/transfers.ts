/** The responses that are sending files of uploads. They are ended when their upload is deleted. */
export class Transfers {
  readonly #byUpload = new Map<string, Set<() => void>>();

  /** The number of uploads with a file being sent. */
  get size(): number {
    return this.#byUpload.size;
  }

  /** Adds a transfer and returns its release. `end` is called at most once, and never after the release. */
  enter(id: string, end: () => void): () => void {
    const ends = this.#byUpload.get(id) ?? new Set();
    this.#byUpload.set(id, ends.add(end));
    return () => {
      ends.delete(end);
      if (ends.size === 0 && this.#byUpload.get(id) === ends) this.#byUpload.delete(id);
    };
  }

  /** Ends every transfer of this upload in this process. */
  end(id: string): void {
    const ends = this.#byUpload.get(id) ?? [];
    this.#byUpload.delete(id);
    for (const end of ends) end();
  }
}
