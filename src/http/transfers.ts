/** Responses that send files of uploads now, so that they can be ended when the upload is deleted. */
export class Transfers {
  readonly #byUpload = new Map<string, Set<() => void>>();

  /** Uploads of which a file is being sent. */
  get size(): number {
    return this.#byUpload.size;
  }

  /** Returns the release. `end` is called at most once, and not after the release. */
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
