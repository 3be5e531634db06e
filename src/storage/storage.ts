import type { Readable } from 'node:stream';
import type { DirectParts } from './direct-parts.ts';

/**
 * Stores the bytes of uploads. Keys are paths of `[A-Za-z0-9._-]` segments with slashes between them. Only `keys.ts`
 * makes them, and they contain no text from a client. Every driver passes `test/contract/storage.test.ts`.
 */
export interface Storage {
  /**
   * Opens a new object. It becomes visible under `key` with `commit()`. An earlier object under the key stays readable
   * until then and is replaced.
   */
  create(key: string): Promise<ObjectWriter>;

  /**
   * Returns the bytes of an object or of an inclusive range of it. Undefined if it does not exist. The caller consumes
   * or destroys the stream.
   */
  read(key: string, range?: ByteRange): Promise<Readable | undefined>;

  /** Undefined if the object does not exist. */
  stat(key: string): Promise<StoredObject | undefined>;

  /**
   * Creates a small object durably and atomically. False if the key is taken. A server without conditional requests may
   * replace the existing object, so read the object afterwards.
   */
  createOnce(key: string, bytes: Buffer): Promise<boolean>;

  /**
   * Lists the files of uploads (see `parseKey`) whose key begins with `prefix`, in no order. `prefix` is whole
   * segments, or empty for all. Unfinished files and files that this service did not name are not listed. Rejects if
   * the folder of `prefix` cannot be read. A folder below it that this process may not read is skipped and reported to
   * `onUnreadable`.
   */
  list(prefix: string, onUnreadable?: OnUnreadable): AsyncIterable<StoredObject>;

  /**
   * Makes the bytes of an object available under a second key too, durably and without sending them through this
   * process. Both keys are independent: removing one keeps the other. False if `from` does not exist.
   */
  duplicate(from: string, to: string): Promise<boolean>;

  /**
   * Stores an object that is completely in memory, and a small one in the same folder, with the guarantees of
   * `commitWith`. If it rejects, neither is left, unless the storage has failed. Undefined if the driver has no cheaper
   * way than `create`; see `storePair`. True if the folder existed, so that it may contain files of an earlier request.
   */
  storePair?(object: WholeObject, companion: SmallObject): Promise<boolean>;

  /** Undefined if the driver cannot append to an object. Write one object for each part then. */
  readonly growing?: GrowingObjects;

  /** Removes one object. Does nothing if it does not exist. */
  remove(key: string): Promise<void>;

  /**
   * Removes all files of an upload below `prefix`, including unfinished ones, and no other files. Bytes that a writer
   * still has in memory may be committed afterwards, so the caller must stop all writers first.
   */
  removeAll(prefix: string): Promise<void>;

  /**
   * Removes unfinished files of uploads below `prefix` (empty for all) to which nothing was added since the given time,
   * for example after a crash. `mayRemove` is asked for each of them; default: all. Returns the keys that they would
   * have had.
   */
  removeUnfinished(prefix: string, before: Date, mayRemove?: MayRemove): Promise<string[]>;

  /** Returns the object as a local file, for libraries that need a path. Undefined if it does not exist. */
  openLocal(key: string): Promise<LocalFile | undefined>;

  /**
   * Writes an object and removes it again. Rejects if the storage cannot be written now. A `cheap` probe may run every
   * few seconds, so it writes nothing if the storage charges for each write.
   */
  probe(kind: 'full' | 'cheap'): Promise<void>;

  /**
   * Returns a name in the upper two levels that is not of this service (see `firstForeignName`). Undefined if the
   * storage contains only uploads.
   */
  foreignName(): Promise<string | undefined>;

  /** Multipart uploads whose parts come from clients. Only a bucket has them. */
  readonly direct?: DirectParts;

  /** Closes its connections. Call it last, because running operations fail. */
  close?(): Promise<void>;
}

/** Called with the path of a folder that was skipped because this process may not read it. */
export type OnUnreadable = (path: string, error: unknown) => void;

/** One object being written. End it with exactly one of `commit` and `discard`. */
export interface ObjectWriter {
  /** Resolves when the writer is ready for the next chunk. The buffer must not change afterwards. */
  write(chunk: Buffer): Promise<void>;
  /**
   * Makes the object durable and visible, atomically. Rejects with `storage_full` (507) if the disk is full. Every
   * method rejects with `service_unavailable` (503) if a remote storage does not respond.
   */
  commit(): Promise<void>;
  /**
   * As `commit` and then `putObject` of a small object in the same folder, if the driver has a cheaper way for both.
   */
  commitWith?(companion: SmallObject): Promise<void>;
  /**
   * Removes the written bytes. Safe to call after a failed `write` or `commit`, and twice. Never rejects: if the
   * storage is away, the janitor removes the rest later.
   */
  discard(): Promise<void>;
}

/**
 * Objects that grow in place. Their keys change with their number of durable bytes, so that a crash at any moment
 * leaves a key that is right. The caller makes the keys. All keys of one object are in the same folder.
 */
export interface GrowingObjects {
  /**
   * Opens an object for more bytes, under the key `key`. With `from` it is that object, cut to its size, and nobody
   * else can open it under its old key. Otherwise it is a new one. Undefined if `from` does not exist (any more).
   */
  open(key: string, from?: SizedKey): Promise<GrowingObject | undefined>;

  /**
   * Renames an object that nobody writes to, cut to its size, and stores a small object beside its new key. The small
   * one never becomes visible first. Both are durable when it resolves. False if `from` does not exist.
   */
  complete(from: SizedKey, to: string, companion: SmallObject): Promise<boolean>;
}

/** An object of which only the first bytes count. */
export interface SizedKey {
  key: string;
  sizeBytes: number;
}

/** Returns the key of a growing object that has this number of durable bytes. */
export type KeyOfSize = (sizeBytes: number) => string;

/** A growing object that is open. End it with `close` or `discard`. */
export interface GrowingObject {
  /** The number of bytes that are durable and in the key. */
  readonly savedBytes: number;
  /** Like `ObjectWriter.write`. */
  write(chunk: Buffer): Promise<void>;
  /**
   * Starts to make the current bytes durable, unless an earlier call is still running. The object's key then contains
   * their number. Resolves when that is done. Never rejects: `close` reports the errors.
   */
  saveBehind(keyOf: KeyOfSize): Promise<void>;
  /** Makes all bytes durable. The object's key then contains their number. Rejects as `ObjectWriter.commit` does. */
  close(keyOf: KeyOfSize): Promise<void>;
  /**
   * Drops the bytes that are not saved. The object's key then contains the saved number; an object without saved bytes
   * is removed. Safe to call after a failed `write` or `close`.
   */
  discard(keyOf: KeyOfSize): Promise<void>;
}

/** An object that is completely in memory. */
export interface SmallObject {
  key: string;
  bytes: Buffer;
}

/** Like `SmallObject`, in chunks. */
export interface WholeObject {
  key: string;
  chunks: readonly Buffer[];
}

/** A range of bytes. Both ends are inclusive, as in RFC 9110 section 14.1.2. */
export interface ByteRange {
  start: number;
  end: number;
}

/** The properties of an object, without its bytes. */
export interface StoredObject {
  key: string;
  sizeBytes: number;
  modifiedAt: Date;
}

/** An unfinished file: the key that it would have, and the last time at which something was added. */
export type UnfinishedFile = Pick<StoredObject, 'key' | 'modifiedAt'>;

/** Returns whether an unfinished file may be removed. */
export type MayRemove = (file: UnfinishedFile) => Promise<boolean>;

/** A file that stays readable until `release()`. */
export interface LocalFile {
  path: string;
  release(): Promise<void>;
}

/**
 * Commits an object and then a small one in the same folder. The small one never becomes visible first. Both are
 * durable when it resolves. If it rejects, either may exist: `discard` the writer and remove both.
 */
export async function commitWith(storage: Storage, writer: ObjectWriter, companion: SmallObject): Promise<void> {
  if (writer.commitWith !== undefined) return await writer.commitWith(companion);
  await writer.commit();
  await putObject(storage, companion.key, companion.bytes);
}

/** Stores a whole object and its companion, see `Storage.storePair`. False also if the driver does not know. */
export async function storePair(storage: Storage, object: WholeObject, companion: SmallObject): Promise<boolean> {
  if (storage.storePair !== undefined) return await storage.storePair(object, companion);
  const writer = await storage.create(object.key);
  try {
    for (const chunk of object.chunks) await writer.write(chunk);
    await commitWith(storage, writer, companion);
    return false;
  } catch (error) {
    await writer.discard();
    throw error;
  }
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
