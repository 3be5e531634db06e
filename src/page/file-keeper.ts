import type { FileStore } from './file-store.ts';
import { isBusy, isDelivered, type LineModel } from './line-model.ts';

/** Files are copied after this time. Most uploads finish sooner, so their files are never copied. */
const KEEP_AFTER_MS = 1000;
/** Larger files are not stored, because the browser would copy all their bytes. */
const MAX_BYTES = 1_000_000_000;

/**
 * Stores the files of unfinished uploads, so that the uploads can continue after a reload. It stores one file at a time
 * and removes it as soon as the server has all its bytes.
 */
export class FileKeeper {
  readonly #store: FileStore;
  readonly #keepAfterMs: number;
  readonly #kept = new Set<string>();
  readonly #rejected = new Set<string>();
  #models: readonly LineModel[] = [];
  #scheduled = false;

  constructor(store: FileStore, keepAfterMs = KEEP_AFTER_MS) {
    this.#store = store;
    this.#keepAfterMs = keepAfterMs;
  }

  /** Call it after every change. Files are stored and removed a little later. */
  follow(models: readonly LineModel[]): void {
    this.#models = models;
    if (this.#scheduled || (!this.#next() && this.#superfluous().length === 0)) return;
    this.#scheduled = true;
    setTimeout(() => void this.#run(), this.#keepAfterMs);
  }

  /** Marks a file as already stored. */
  found(id: string): void {
    this.#kept.add(id);
  }

  /** True if the upload needs the file and a reload would lose it. */
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
      (model) => isUnsent(model) && !this.#kept.has(idOf(model)) && !this.#rejected.has(idOf(model)),
    );
  }

  #superfluous(): string[] {
    const unsent = new Set(this.#models.filter(isUnsent).map(idOf));
    return [...this.#kept].filter((id) => !unsent.has(id));
  }

  async #keep(id: string, file: File | null): Promise<void> {
    try {
      if (file === null || file.size > MAX_BYTES) throw new RangeError('The file is too large to store.');
      await this.#store.put(id, file);
      this.#kept.add(id);
    } catch {
      // The browser's storage is full or not allowed. After a reload the page asks for the file.
      this.#rejected.add(id);
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
