import { isBusy, isDelivered, isStopped, type FileFacts, type LineModel } from './line-model.ts';

/** The stored state of an upload, from which a reloaded page continues it. */
export interface KeptUpload extends FileFacts {
  readonly id: string;
  /** Name of the page that works on the upload. */
  readonly owner: string;
  readonly isPaused: boolean;
  /** True once the server has all bytes. */
  readonly isDelivered: boolean;
}

const PREFIX = 'deferred-uploads';
const UPLOAD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Stores the uploads of the page in the browser's local storage. Each upload has its own key, so that two pages never
 * overwrite each other's entries. An entry is removed as soon as there is nothing to continue, because ids are secrets.
 */
export class KeptUploads {
  readonly #storage: () => Storage;
  readonly #owner: string;
  readonly #prefix: string;
  readonly #written = new Map<string, string>();

  /**
   * @param storage may throw if the browser allows no storage. The page then works but forgets its list on reload.
   * @param base the path of the service on its host.
   */
  constructor(storage: () => Storage, owner: string, base = '') {
    this.#storage = storage;
    this.#owner = owner;
    this.#prefix = `${PREFIX}${base}:`;
  }

  /** Names of the other pages that have stored uploads. They may be open or closed. */
  owners(): ReadonlySet<string> {
    return new Set(
      this.#read()
        .map(({ owner }) => owner)
        .filter((owner) => owner !== this.#owner),
    );
  }

  /** Takes over the uploads of a page that is closed, and returns them in the order of their lines. */
  claim(closed: string): KeptUpload[] {
    const orphans = this.#read().filter(({ owner }) => owner === closed);
    orphans.forEach(({ id, ...upload }, order) =>
      this.#set(id, JSON.stringify({ ...upload, owner: this.#owner, order })),
    );
    return orphans;
  }

  /** Ids of the uploads that any page has stored. */
  ids(): ReadonlySet<string> {
    return new Set(this.#read().map(({ id }) => id));
  }

  /** Stores the uploads that a reloaded page can continue, and removes the other entries of this page. */
  write(models: Iterable<LineModel>): void {
    const wanted = new Map<string, string>();
    for (const model of models) {
      if (model.handle && isWorthKeeping(model)) wanted.set(model.handle.id, this.#serialise(model, wanted.size));
    }
    for (const id of this.#written.keys()) if (!wanted.has(id)) this.#forget(id);
    for (const [id, text] of wanted) this.#set(id, text);
  }

  #read(): KeptUpload[] {
    try {
      const storage = this.#storage();
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '').filter((key) =>
        key.startsWith(this.#prefix),
      );
      const kept = keys.flatMap((key) => parse(key.slice(this.#prefix.length), storage.getItem(key)));
      return kept.sort((a, b) => a.order - b.order).map(({ upload }) => upload);
    } catch {
      return [];
    }
  }

  #forget(id: string): void {
    this.#written.delete(id);
    this.#try((storage) => storage.removeItem(this.#prefix + id));
  }

  #set(id: string, text: string): void {
    if (this.#written.get(id) === text) return;
    this.#written.set(id, text);
    this.#try((storage) => storage.setItem(this.#prefix + id, text));
  }

  #serialise(model: LineModel, order: number): string {
    const { name, sizeBytes, phase } = model;
    return JSON.stringify({
      name,
      sizeBytes,
      owner: this.#owner,
      isPaused: phase === 'paused',
      isDelivered: isDelivered(model),
      order,
    });
  }

  #try(use: (storage: Storage) => void): void {
    try {
      use(this.#storage());
    } catch {
      // The storage is full or not allowed, as in some private windows.
    }
  }
}

/** False for failed and cancelled uploads, because a reloaded page cannot continue them. */
function isWorthKeeping(model: LineModel): boolean {
  return !model.cancelling && (isBusy(model) || isStopped(model) || model.upload !== null);
}

function parse(id: string, text: string | null): { upload: KeptUpload; order: number }[] {
  const value: unknown = JSON.parse(text ?? 'null');
  if (!UPLOAD_ID.test(id) || typeof value !== 'object' || value === null) return [];
  const { name, sizeBytes, owner, isPaused, isDelivered: delivered, order } = value as Partial<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof sizeBytes !== 'number' || typeof owner !== 'string') return [];
  const upload = { id, name, sizeBytes, owner, isPaused: isPaused === true, isDelivered: delivered === true };
  return [{ upload, order: typeof order === 'number' ? order : 0 }];
}
