import type { Readable } from 'node:stream';

/**
 * Where the bytes of uploads lie. Keys are slash-separated paths of `[A-Za-z0-9._-]` segments,
 * made by `keys.ts` alone; nothing that a client sent is ever part of one.
 * Every driver passes `test/contract/storage.test.ts`.
 */
export interface Storage {
  /**
   * Opens a new object. Nothing is to be seen under `key` until `commit()`; an object that
   * was there stays readable until then and is replaced by it.
   */
  create(key: string): Promise<ObjectWriter>;

  /**
   * The bytes of an object, or of an inclusive range of it; undefined where there is none.
   * The caller consumes or destroys the stream.
   */
  read(key: string, range?: ByteRange): Promise<Readable | undefined>;

  /** Undefined where there is no such object. */
  stat(key: string): Promise<StoredObject | undefined>;

  /**
   * Creates a small object durably and atomically; false if there is one under the key. On a server that knows no
   * conditional requests it replaces that one: read the object afterwards.
   */
  createOnce(key: string, bytes: Buffer): Promise<boolean>;

  /**
   * Files of uploads (see `parseKey`) whose key begins with `prefix` (whole segments; empty for all), in no order.
   * Unfinished ones are not listed, nor is anything that this service did not name. Rejects if the folder of `prefix`
   * cannot be read; a folder below it that this process may not read is skipped and reported to `onUnreadable`.
   */
  list(prefix: string, onUnreadable?: OnUnreadable): AsyncIterable<StoredObject>;

  /** Removes one object. Nothing there is no error. */
  remove(key: string): Promise<void>;

  /**
   * Removes every file of an upload below `prefix`, unfinished ones too, and nothing else. Nothing there is no error.
   * Bytes that a writer still holds in memory may be committed afterwards: the caller makes sure that nobody writes.
   */
  removeAll(prefix: string): Promise<void>;

  /**
   * Removes files of uploads below `prefix` (empty for all) that were begun before the time given and never ended, as
   * after a crash; returns the keys that they would have had.
   */
  removeUnfinished(prefix: string, before: Date): Promise<string[]>;

  /** The object as a file of this machine, for libraries that want a path; undefined where there is none. */
  openLocal(key: string): Promise<LocalFile | undefined>;

  /**
   * Writes an object and removes it again. Rejects if the storage cannot be written now. A `cheap` probe may be made
   * every few seconds: it writes nothing where each write costs money.
   */
  probe(kind: 'full' | 'cheap'): Promise<void>;

  /**
   * A name found in the upper two levels that belongs to somebody else (see `firstForeignName`); undefined for a
   * storage that holds nothing but uploads.
   */
  foreignName(): Promise<string | undefined>;

  /** Lets go of its connections, where it has any. Call it last: what is under way fails. */
  close?(): Promise<void>;
}

/** Called with the path of a folder that was skipped because this process may not read it. */
export type OnUnreadable = (path: string, error: unknown) => void;

/** One object being written. End it with exactly one of `commit` and `discard`. */
export interface ObjectWriter {
  /** Resolves when the next chunk may come. The buffer must not change afterwards. */
  write(chunk: Buffer): Promise<void>;
  /**
   * Makes the object durable and visible, atomically. Rejects with `storage_full` (507) where the disk is, and with
   * `service_unavailable` (503) where a storage beyond the network does not answer, as all calls of such a one do.
   */
  commit(): Promise<void>;
  /** As `commit` and then `putObject` of a small one in the same folder, where a driver can do the two for less. */
  commitWith?(companion: SmallObject): Promise<void>;
  /** Removes what was written. Safe to call after a failed `write` or `commit`, and twice. */
  discard(): Promise<void>;
}

/** An object that is held in memory as a whole. */
export interface SmallObject {
  key: string;
  bytes: Buffer;
}

/** Both ends inclusive, as in RFC 9110 section 14.1.2. */
export interface ByteRange {
  start: number;
  end: number;
}

/** What is known of an object without reading it. */
export interface StoredObject {
  key: string;
  sizeBytes: number;
  modifiedAt: Date;
}

/** A file that may be read until `release()`. */
export interface LocalFile {
  path: string;
  release(): Promise<void>;
}

/**
 * Commits an object and, never before it, a small one in the same folder; both are durable when it resolves. Where it
 * rejects either may be there: `discard` the writer, and remove both.
 */
export async function commitWith(storage: Storage, writer: ObjectWriter, companion: SmallObject): Promise<void> {
  if (writer.commitWith !== undefined) return await writer.commitWith(companion);
  await writer.commit();
  await putObject(storage, companion.key, companion.bytes);
}

/** Writes a whole object at once, durably. */
export async function putObject(storage: Storage, key: string, bytes: Buffer): Promise<void> {
  const writer = await storage.create(key);
  try {
    await writer.write(bytes);
    await writer.commit();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
