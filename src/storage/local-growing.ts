import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskSpace } from './disk-space.ts';
import { FileBytes } from './file-bytes.ts';
import { asServiceError, isMissing, undefinedIfMissing, storageUnavailable } from './file-errors.ts';
import { newNonce } from './keys.ts';
import { syncFolder } from './local-folders.ts';
import { PART_ENDING, writeDurably } from './local-writer.ts';
import type { GrowingObject, GrowingObjects, KeyOfSize, SizedKey, SmallObject } from './storage.ts';

/** Written bytes are synced after each stretch of this size, so that little is left at the end of a request. */
const SYNC_BEHIND_BYTES = 2 * 1024 * 1024;

/** Chunks are collected up to this size. It is small, because many uploads may grow at the same time. */
const GATHER_BYTES = 256 * 1024;

/** The members of the storage that growing files use. */
export interface GrowingFilesParts {
  pathOf: (key: string) => string;
  space: DiskSpace;
  /** Creates a file and the folders above it. */
  openNew: (path: string) => Promise<FileHandle>;
  /** Removes the empty folders above the path. */
  cleanParents: (path: string) => Promise<void>;
}

/** Files that grow. Their names contain the number of durable bytes, so they are renamed when it changes. */
export class GrowingFiles implements GrowingObjects {
  readonly #parts: GrowingFilesParts;

  constructor(parts: GrowingFilesParts) {
    this.#parts = parts;
  }

  async open(key: string, from?: SizedKey): Promise<GrowingObject | undefined> {
    const { pathOf, space, openNew, cleanParents } = this.#parts;
    const path = pathOf(key);
    await space.check();
    if (from === undefined)
      return new GrowingFile(await openNew(path).catch(cleanly(cleanParents, path)), path, 0, this.#parts);
    if (!(await isRenamed(pathOf(from.key), path))) return undefined;
    // From here on no other request finds the file under its old name.
    const file = await undefinedIfMissing(openCut(path, from.sizeBytes));
    return file === undefined ? undefined : new GrowingFile(file, path, from.sizeBytes, this.#parts);
  }

  async complete(from: SizedKey, to: string, companion: SmallObject): Promise<boolean> {
    const { pathOf, cleanParents } = this.#parts;
    const [path, target, small] = [pathOf(from.key), pathOf(to), pathOf(companion.key)];
    const draft = `${small}.${newNonce()}${PART_ENDING}`;
    try {
      const file = await undefinedIfMissing(openCut(path, from.sizeBytes));
      if (file === undefined) return false;
      await file.close();
      await writeDurably(draft, companion.bytes);
      if (!(await isRenamed(path, target))) return false;
      await rename(draft, small);
      await syncFolder(dirname(target));
      await cleanParents(path);
      return true;
    } catch (error) {
      throw isMissing(error) ? storageUnavailable(error) : asServiceError(error);
    } finally {
      await unlink(draft).catch(() => undefined);
    }
  }
}

class GrowingFile implements GrowingObject {
  readonly #parts: GrowingFilesParts;
  readonly #bytes: FileBytes;
  #file: FileHandle | undefined;
  #path: string;
  #savedBytes: number;
  #saving: Promise<void> | undefined;
  #fault: { error: unknown } | undefined;

  constructor(file: FileHandle, path: string, sizeBytes: number, parts: GrowingFilesParts) {
    this.#file = file;
    this.#path = path;
    this.#savedBytes = sizeBytes;
    this.#parts = parts;
    const options = { position: sizeBytes, syncBehindBytes: SYNC_BEHIND_BYTES, gatherBytes: GATHER_BYTES };
    this.#bytes = new FileBytes(file, parts.space, options);
  }

  get savedBytes(): number {
    return this.#savedBytes;
  }

  write(chunk: Buffer): Promise<void> {
    return this.#bytes.write(chunk);
  }

  async saveBehind(keyOf: KeyOfSize): Promise<void> {
    this.#saving ??= this.#save(keyOf)
      .catch((error: unknown) => {
        this.#fault ??= { error };
      })
      .finally(() => {
        this.#saving = undefined;
      });
    await this.#saving;
  }

  async close(keyOf: KeyOfSize): Promise<void> {
    await this.#saving;
    if (this.#fault !== undefined) throw this.#fault.error;
    await this.#save(keyOf);
    await this.#close();
  }

  /** Keeps the saved bytes. The others stay behind them until the next request or `complete` cuts the file. */
  async discard(keyOf: KeyOfSize): Promise<void> {
    await this.#saving;
    await this.#bytes.drop();
    await this.#close();
    const savedPath = this.#parts.pathOf(keyOf(this.#savedBytes));
    // If the disk cannot be used now, the janitor removes the file later.
    const ended = this.#savedBytes > 0 ? rename(this.#path, savedPath) : unlink(this.#path);
    await ended.catch(() => undefined);
    await this.#parts.cleanParents(this.#path);
  }

  /** Syncs, then renames, so that the name never counts bytes that a power failure could take. */
  async #save(keyOf: KeyOfSize): Promise<void> {
    await this.#bytes.flush();
    const sizeBytes = this.#bytes.position;
    const path = this.#parts.pathOf(keyOf(sizeBytes));
    try {
      await this.#opened().datasync();
      await rename(this.#path, path);
      this.#path = path;
      await syncFolder(dirname(path));
    } catch (error) {
      // The upload was cancelled, and its files were removed.
      throw isMissing(error) ? storageUnavailable(error) : asServiceError(error);
    }
    this.#savedBytes = sizeBytes;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('the object has already ended');
    return this.#file;
  }
}

/** Opens a file for writing, and removes everything behind its first bytes, which a crash may have left. */
async function openCut(path: string, sizeBytes: number): Promise<FileHandle> {
  const file = await open(path, 'r+');
  try {
    if ((await file.stat()).size !== sizeBytes) await file.truncate(sizeBytes);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Renames a file. False if it does not exist. */
async function isRenamed(path: string, to: string): Promise<boolean> {
  return (await undefinedIfMissing(rename(path, to).then(() => true))) === true;
}

/** Removes the folders that were made for a file that could not be created. */
function cleanly(clean: (path: string) => Promise<void>, path: string): (error: unknown) => Promise<never> {
  return async (error) => {
    await clean(path);
    throw error;
  };
}
