import { DEFAULT_TUNING } from '../client/tuning.ts';
import { isDelivered, isStopped, sentBytesOf, type FileFacts, type LineModel } from './line-model.ts';

/** The stored state of an upload, from which a reloaded page continues it. */
export interface KeptUpload extends FileFacts {
  readonly id: string;
  /** Name of the page that works on the upload. */
  readonly owner: string;
  readonly isPaused: boolean;
  /** Bytes of a paused upload that need not be sent again; 0 for every other one. */
  readonly sentBytes: number;
  /** True once the server needs no more bytes, also because it has rejected the file. */
  readonly isDelivered: boolean;
}

const PREFIX = 'deferred-uploads';
const UPLOAD_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Stores the uploads of the page in the browser's local storage. Each upload has its own key, so that two pages never
 * overwrite each other's entries. An entry is removed with its line and after a cancel, because ids are secrets.
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

  /** Returns the names of the other pages that have stored uploads. They may be open or closed. */
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

  /** Returns the ids of the uploads that any page has stored. */
  ids(): ReadonlySet<string> {
    return new Set(this.#read().map(({ id }) => id));
  }

  /** Stores the uploads that a reloaded page continues or shows, and removes the other entries of this page. */
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
      sentBytes: phase === 'paused' && sizeBytes > DEFAULT_TUNING.resumableAboveBytes ? sentBytesOf(model) : 0,
      isDelivered: isDelivered(model) || isRejected(model),
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

/** True for uploads to keep. Failed ones are kept too, so that a reload does not hide the failure. */
function isWorthKeeping({ cancelling, problem }: LineModel): boolean {
  return !cancelling && problem?.code !== 'upload_cancelled';
}

/**
 * True if the server has stored the upload as failed, and sending the rest of the file would not help. A request that
 * was refused for another reason, such as a full queue, has left no upload on the server. Its line asks for the file.
 */
function isRejected(model: LineModel): boolean {
  return model.problem?.final === true && !isStopped({ ...model, file: null });
}

function parse(id: string, text: string | null): { upload: KeptUpload; order: number }[] {
  const value: unknown = JSON.parse(text ?? 'null');
  if (!UPLOAD_ID.test(id) || typeof value !== 'object' || value === null) return [];
  const { name, sizeBytes, owner, sentBytes, order, ...flags } = value as Partial<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof sizeBytes !== 'number' || typeof owner !== 'string') return [];
  const upload = {
    id,
    name,
    sizeBytes,
    owner,
    isPaused: flags['isPaused'] === true,
    sentBytes: typeof sentBytes === 'number' ? sentBytes : 0,
    isDelivered: flags['isDelivered'] === true,
  };
  return [{ upload, order: typeof order === 'number' ? order : 0 }];
}
