import { growingPartKey, newNonce, partKey } from './keys.ts';
import type { GrowingObject, GrowingObjects, KeyOfSize, ObjectWriter, SizedKey, Storage } from './storage.ts';

/** If the process is killed, the bytes that are not saved are lost. So they are saved after this many bytes. */
const PART_BYTES = 8 * 1024 * 1024;

/** Bytes that are not saved yet are saved after this time. */
export const SAVE_AFTER_MS = 30_000;

/**
 * A growing object is saved while more bytes arrive. Each save costs two commits of the file system, so a request of 8
 * MiB is saved only once, at its end.
 */
const SAVE_BYTES = 2 * PART_BYTES;

/** If more than this is not saved yet, the next bytes have to wait. */
const MOST_UNSAVED_BYTES = 2 * SAVE_BYTES;

/**
 * Writes the bytes of one request as parts. End it with `commit` or `discard`. Bytes that were saved before stay in
 * both cases.
 */
export interface PartWriter {
  /** The bytes up to this offset are durable. */
  readonly offset: number;
  write(chunk: Buffer): Promise<void>;
  commit(): Promise<void>;
  /** Ends the writing without a commit, also after a failed `write` or `commit`. */
  discard(): Promise<void>;
}

/** The place to which a request writes, and the way in which it does. */
export interface PartPlace {
  id: string;
  /** Position of the first byte of the request in the file. */
  offset: number;
  /** If true, no byte is saved before the commit. */
  isOnePart: boolean;
  /** Returns the part at the end of the stored bytes, if it can grow and nobody writes to it. */
  findLast: () => Promise<{ offset: number; part: SizedKey } | undefined>;
}

/** Appends to the last part if the storage can do that. Otherwise it writes new objects. */
export function openPartWriter(storage: Storage, place: PartPlace): PartWriter {
  return storage.growing === undefined
    ? new SeparatePartWriter(storage, place)
    : new GrowingPartWriter(storage.growing, place);
}

/** Writes one object after the other. */
class SeparatePartWriter implements PartWriter {
  readonly #storage: Storage;
  readonly #place: PartPlace;
  #offset: number;
  #openBytes = 0;
  #openedAtMs = 0;
  #writer: ObjectWriter | undefined;

  constructor(storage: Storage, place: PartPlace) {
    this.#storage = storage;
    this.#place = place;
    this.#offset = place.offset;
  }

  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Buffer): Promise<void> {
    const writer = this.#writer ?? (await this.#open());
    await writer.write(chunk);
    this.#openBytes += chunk.length;
    if (!this.#place.isOnePart && isDue(this.#openBytes, this.#openedAtMs)) await this.commit();
  }

  async commit(): Promise<void> {
    await this.#writer?.commit();
    this.#writer = undefined;
    this.#offset += this.#openBytes;
    this.#openBytes = 0;
  }

  async discard(): Promise<void> {
    await this.#writer?.discard();
    this.#writer = undefined;
    this.#openBytes = 0;
  }

  async #open(): Promise<ObjectWriter> {
    this.#openedAtMs = performance.now();
    this.#writer = await this.#storage.create(partKey(this.#place.id, this.#offset, newNonce()));
    return this.#writer;
  }
}

/** Writes to one object: that of the previous request if it ended well, otherwise a new one. */
class GrowingPartWriter implements PartWriter {
  readonly #growing: GrowingObjects;
  readonly #place: PartPlace;
  readonly #nonce = newNonce();
  /** The offset of the first byte of the object, which an earlier request may have written. */
  #objectOffset: number;
  #object: GrowingObject | undefined;
  #offset: number;
  /** The number of bytes of the object, saved or not. */
  #objectBytes = 0;
  #savedBytes = 0;
  #savedAtMs = 0;
  #saving: Promise<void> | undefined;

  constructor(growing: GrowingObjects, place: PartPlace) {
    this.#growing = growing;
    this.#place = place;
    this.#offset = place.offset;
    this.#objectOffset = place.offset;
  }

  get offset(): number {
    return this.#object === undefined ? this.#offset : this.#objectOffset + this.#object.savedBytes;
  }

  async write(chunk: Buffer): Promise<void> {
    const object = this.#object ?? (await this.#open());
    await object.write(chunk);
    this.#objectBytes += chunk.length;
    if (!this.#place.isOnePart) await this.#saveIfDue(object);
  }

  async commit(): Promise<void> {
    await this.#object?.close(this.#keyOf(false));
    this.#end();
  }

  async discard(): Promise<void> {
    await this.#object?.discard(this.#keyOf(false));
    this.#end();
  }

  async #saveIfDue(object: GrowingObject): Promise<void> {
    if (object.savedBytes !== this.#savedBytes) {
      this.#savedBytes = object.savedBytes;
      this.#savedAtMs = performance.now();
    }
    const unsavedBytes = this.#objectBytes - this.#savedBytes;
    if (!isDue(unsavedBytes, this.#savedAtMs, SAVE_BYTES)) return;
    this.#saving ??= this.#save(object);
    if (unsavedBytes >= MOST_UNSAVED_BYTES) await this.#saving;
  }

  /** Saves the bytes, and saves again if more bytes have become due meanwhile. */
  async #save(object: GrowingObject): Promise<void> {
    const { savedBytes } = object;
    await object.saveBehind(this.#keyOf(true));
    this.#saving = undefined;
    if (this.#object === object && object.savedBytes > savedBytes) void this.#saveIfDue(object);
  }

  #end(): void {
    this.#offset = this.offset;
    this.#object = undefined;
  }

  async #open(): Promise<GrowingObject> {
    this.#savedAtMs = performance.now();
    const object = (await this.#continued()) ?? (await this.#begun());
    this.#objectBytes = object.savedBytes;
    this.#savedBytes = object.savedBytes;
    this.#object = object;
    return object;
  }

  /** Opens the last part. Undefined if there is none to append to, or if another request was faster. */
  async #continued(): Promise<GrowingObject | undefined> {
    const last = this.#place.offset === 0 ? undefined : await this.#place.findLast();
    if (last === undefined || last.offset + last.part.sizeBytes !== this.#place.offset) return undefined;
    this.#objectOffset = last.offset;
    return await this.#growing.open(this.#keyOf(true)(last.part.sizeBytes), last.part);
  }

  async #begun(): Promise<GrowingObject> {
    this.#objectOffset = this.#place.offset;
    const object = await this.#growing.open(this.#keyOf(true)(0));
    if (object === undefined) throw new Error('a new part does not exist');
    return object;
  }

  #keyOf(isOpen: boolean): KeyOfSize {
    return (sizeBytes) => growingPartKey(this.#place.id, this.#objectOffset, this.#nonce, { sizeBytes, isOpen });
  }
}

function isDue(bytes: number, sinceMs: number, mostBytes = PART_BYTES): boolean {
  return bytes >= mostBytes || performance.now() - sinceMs >= SAVE_AFTER_MS;
}
