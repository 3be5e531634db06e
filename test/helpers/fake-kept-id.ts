import type { KeptId } from '../../src/storage/installation.ts';

/** The id that a Redis keeps, in memory. */
export class FakeKeptId implements KeptId {
  id: string | undefined;
  #isLocked = false;

  async read(): Promise<string | undefined> {
    return this.id;
  }

  async keep(id: string): Promise<void> {
    this.id ??= id;
  }

  async replace(id: string): Promise<void> {
    this.id = id;
  }

  async lock(): Promise<(() => Promise<void>) | undefined> {
    if (this.#isLocked) return undefined;
    this.#isLocked = true;
    return async () => {
      this.#isLocked = false;
    };
  }
}
