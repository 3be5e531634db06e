import type { FileStore } from './file-store.ts';
import { isBusy, isDelivered, type LineModel } from './line-model.ts';

/** Most files are through before this, and the disk is spared. */
const KEEP_AFTER_MS = 1000;
/** Browsers copy what they keep. */
const MOST_BYTES = 1_000_000_000;

/**
 * Keeps the files of uploads under way for the page that comes after this one, one at a time, and forgets
 * each as soon as the server has it.
 */
export class FileKeeper {
  readonly #store: FileStore;
  readonly #keepAfterMs: number;
  readonly #kept = new Set<string>();
  readonly #refused = new Set<string>();
  #models: readonly LineModel[] = [];
  #scheduled = false;

  constructor(store: FileStore, keepAfterMs = KEEP_AFTER_MS) {
    this.#store = store;
    this.#keepAfterMs = keepAfterMs;
  }

  /** To be told of every change; what is done about it comes a little later. */
  follow(models: readonly LineModel[]): void {
    this.#models = models;
    if (this.#scheduled || (!this.#next() && this.#superfluous().length === 0)) return;
    this.#scheduled = true;
    setTimeout(() => void this.#run(), this.#keepAfterMs);
  }

  /** Says that a file lies there already. */
  found(id: string): void {
    this.#kept.add(id);
  }

  /** True where a reload would lose the file. */
  lacks(model: LineModel): boolean {
    return isUnsent(model) && !this.#kept.has(idOf(model));
  }

  async #run(): Promise<void> {
    for (let model = this.#next(); model; model = this.#next()) await this.#keep(idOf(model), model.file);
    for (const id of this.#superfluous()) await this.#forget(id);
    this.#scheduled = false;
  }

  #next(): LineModel | undefined {
    return this.#models.find(
      (model) => isUnsent(model) && !this.#kept.has(idOf(model)) && !this.#refused.has(idOf(model)),
    );
  }

  #superfluous(): string[] {
    const unsent = new Set(this.#models.filter(isUnsent).map(idOf));
    return [...this.#kept].filter((id) => !unsent.has(id));
  }

  async #keep(id: string, file: File | null): Promise<void> {
    try {
      if (file === null || file.size > MOST_BYTES) throw new RangeError('too large to be copied');
      await this.#store.put(id, file);
      this.#kept.add(id);
    } catch {
      // No room, or a private window: after a reload the page asks for the file.
      this.#refused.add(id);
    }
  }

  async #forget(id: string): Promise<void> {
    this.#kept.delete(id);
    await this.#store.remove(id).catch(() => undefined);
  }
}

function isUnsent(model: LineModel): boolean {
  return model.file !== null && model.handle !== null && isBusy(model) && !isDelivered(model) && !model.cancelling;
}

function idOf({ handle }: LineModel): string {
  return handle?.id ?? '';
}
