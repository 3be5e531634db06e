import { link, open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { DiskSpace } from './disk-space.ts';
import {
  asServiceError,
  cannotLink,
  isMissing,
  isOfOneFile,
  isTaken,
  undefinedIfMissing,
  storageUnavailable,
} from './file-errors.ts';
import { convertErrors } from './convert-errors.ts';
import { firstForeignName } from './foreign-names.ts';
import { isFolderOfUpload, MARKER_KEY, newNonce, parseKey, requireKey, unfinishedKey } from './keys.ts';
import { FILE_MODE, makeFolders, removeEmptyFolders, syncFolder } from './local-folders.ts';
import { duplicateFile } from './duplicate-file.ts';
import { GrowingFiles } from './local-growing.ts';
import { walkOwn, type FoundFile } from './local-walk.ts';
import { LocalWriter, PART_ENDING, writeDurably } from './local-writer.ts';
import type {
  ByteRange,
  LocalFile,
  MayRemove,
  ObjectWriter,
  OnUnreadable,
  SmallObject,
  Storage,
  StoredObject,
  WholeObject,
} from './storage.ts';
import type { NewFile } from './store-batch.ts';
import { StoreThread } from './store-thread.ts';

/** Number of attempts to open a file. One fails only if its folder is removed at the same moment. */
const MAX_OPEN_TRIES = 10;

/** A file of this size needs a block of its own, so that the probe fails on a full disk. */
const PROBE_BYTES = Buffer.alloc(4096, 'probe ');

/** Options of a local storage. */
export interface LocalStorageOptions {
  /** Disk space that stays free. Default 0. */
  reserveBytes?: number;
  /** The compiled `store-thread-entry`, to store small files in a thread. Default: none. */
  storeThread?: URL | undefined;
}

/**
 * Stores objects as files below one directory. A file is written under a temporary name and synced. Then it is renamed,
 * and its directory is synced.
 */
export class LocalStorage implements Storage {
  readonly #root: string;
  readonly #space: DiskSpace;
  readonly growing: GrowingFiles;
  /** Undefined without a thread for small files. */
  readonly storePair?: (object: WholeObject, companion: SmallObject) => Promise<boolean>;
  readonly #thread: StoreThread | undefined;

  constructor(directory: string, options: LocalStorageOptions = {}) {
    this.#root = resolve(directory);
    this.#thread = options.storeThread === undefined ? undefined : new StoreThread(options.storeThread);
    const thread = this.#thread;
    if (thread !== undefined) this.storePair = (object, small) => this.#storePair(thread, object, small);
    this.#space = new DiskSpace(this.#root, options.reserveBytes ?? 0);
    this.growing = new GrowingFiles({
      pathOf: (key) => this.#pathOf(key),
      space: this.#space,
      openNew: (path) => this.#openNew(path),
      // If the disk is away now, the janitor removes the folders later.
      cleanParents: (path) => this.#removeEmptyParents(path).catch(() => undefined),
    });
  }

  async create(key: string): Promise<ObjectWriter> {
    const path = this.#pathOf(key);
    const partPath = `${path}.${newNonce()}${PART_ENDING}`;
    // This runs after an error, which it must not replace.
    const cleanParents = () => this.#removeEmptyParents(path).catch(() => undefined);
    const target = { partPath, path, pathOf: (other: string) => this.#pathOf(other), space: this.#space, cleanParents };
    try {
      await this.#space.check();
      return new LocalWriter(await this.#openNew(partPath), target);
    } catch (error) {
      await cleanParents();
      throw error;
    }
  }

  async #storePair(thread: StoreThread, { key, chunks }: WholeObject, companion: SmallObject): Promise<boolean> {
    await this.#space.check();
    const path = this.#pathOf(key);
    try {
      return await thread.store([newFile(path, chunks), newFile(this.#pathOf(companion.key), [companion.bytes])]);
    } catch (error) {
      await this.#removeEmptyParents(path).catch(() => undefined);
      throw error;
    }
  }

  async duplicate(from: string, to: string): Promise<boolean> {
    await this.#space.check();
    const path = this.#pathOf(to);
    try {
      return await duplicateFile(this.#pathOf(from), path);
    } catch (error) {
      await this.#removeEmptyParents(path);
      throw asServiceError(error);
    }
  }

  async createOnce(key: string, bytes: Buffer): Promise<boolean> {
    const path = this.#pathOf(key);
    const draft = `${path}.${newNonce()}`;
    try {
      await makeFolders(dirname(path));
      await writeDurably(draft, bytes);
      await link(draft, path);
      await syncFolder(dirname(path));
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      if (cannotLink(error)) return await createExclusively(path, bytes);
      throw isMissing(error) ? storageUnavailable(error) : asServiceError(error);
    } finally {
      await unlink(draft).catch(() => undefined);
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable | undefined> {
    if ((await this.stat(key)) === undefined) return undefined;
    const file = await undefinedIfMissing(open(this.#pathOf(key), 'r'));
    if (file === undefined) return undefined;
    return convertErrors(file.createReadStream(range ?? {}), asServiceError);
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const found = await undefinedIfMissing(stat(this.#pathOf(key)));
    return found?.isFile() === true ? { key, sizeBytes: found.size, modifiedAt: found.mtime } : undefined;
  }

  async *list(prefix: string, onUnreadable: OnUnreadable = () => undefined): AsyncIterable<StoredObject> {
    const renamed = yield* this.#listOnce(requirePrefix(prefix), onUnreadable);
    for (const folder of renamed) yield* this.#listOnce(folder, onUnreadable);
  }

  /** Returns folders with a growing file that was renamed, or removed, before it could be read. */
  async *#listOnce(prefix: string, onUnreadable: OnUnreadable): AsyncGenerator<StoredObject, Set<string>> {
    const renamed = new Set<string>();
    for await (const found of walkOwn(this.#root, prefix, onUnreadable)) {
      if (!('file' in found) || !found.file.isFinished) continue;
      const { path } = found.file;
      const object = await this.stat(path);
      if (object !== undefined) yield object;
      else if (parseKey(path)?.growing !== undefined) renamed.add(dirname(path));
    }
    return renamed;
  }

  async removeUnfinished(prefix: string, before: Date, mayRemove?: MayRemove): Promise<string[]> {
    const keyOf = (path: string): string => unfinishedKey(path) ?? path;
    const mustRemove = async ({ path, isFinished }: FoundFile): Promise<boolean> => {
      const modifiedAt = isFinished ? undefined : await modifiedAtOf(join(this.#root, path));
      if (modifiedAt === undefined || modifiedAt >= before) return false;
      return (await mayRemove?.({ key: keyOf(path), modifiedAt })) !== false;
    };
    const removed = await this.#removeMatching(requirePrefix(prefix), mustRemove, isOfOneFile);
    return removed.map(keyOf);
  }

  async remove(key: string): Promise<void> {
    if ((await this.stat(key)) === undefined) return;
    const path = this.#pathOf(key);
    await undefinedIfMissing(unlink(path));
    await this.#removeEmptyParents(path);
  }

  async removeAll(prefix: string): Promise<void> {
    await this.#removeMatching(requireKey(prefix), async () => true);
  }

  async openLocal(key: string): Promise<LocalFile | undefined> {
    const found = await this.stat(key);
    return found === undefined ? undefined : { path: this.#pathOf(key), release: async () => undefined };
  }

  async probe(): Promise<void> {
    const path = `${this.#pathOf(MARKER_KEY)}.${newNonce()}.probe`;
    try {
      await makeFolders(this.#root);
      await writeDurably(path, PROBE_BYTES);
    } catch (error) {
      throw isMissing(error) ? storageUnavailable(error) : asServiceError(error);
    } finally {
      await unlink(path).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  async foreignName(): Promise<string | undefined> {
    return await firstForeignName((folder) => this.#namesIn(folder));
  }

  async #namesIn(folder: string): Promise<string[]> {
    return (await undefinedIfMissing(readdir(join(this.#root, folder)))) ?? [];
  }

  /**
   * Removes files, and folders that have become empty. A writer that needs one makes it again. Returns the paths of the
   * removed files. A file whose error may be skipped stays.
   */
  async #removeMatching(
    prefix: string,
    mustRemove: (file: FoundFile) => Promise<boolean>,
    maySkip: (error: unknown) => boolean = () => false,
  ): Promise<string[]> {
    const removed: string[] = [];
    for await (const found of walkOwn(this.#root, prefix, () => undefined)) {
      if ('folder' in found) {
        if (isFolderOfUpload(found.folder)) await removeEmptyFolders(join(this.#root, found.folder), this.#root);
        continue;
      }
      try {
        if (!(await mustRemove(found.file))) continue;
        await undefinedIfMissing(unlink(join(this.#root, found.file.path)));
        removed.push(found.file.path);
      } catch (error) {
        if (!maySkip(error)) throw error;
      }
    }
    return removed;
  }

  #pathOf(key: string): string {
    return join(this.#root, ...requireKey(key).split('/'));
  }

  /** Opens a new file. Tries again if its folders are removed meanwhile, with the last file of another upload. */
  async #openNew(partPath: string): Promise<FileHandle> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await open(partPath, 'wx', FILE_MODE);
      } catch (error) {
        if (!isMissing(error)) throw asServiceError(error);
        if (tries > MAX_OPEN_TRIES) throw storageUnavailable(error);
      }
      await makeFolders(dirname(partPath)).catch((error: unknown) => {
        if (!isMissing(error)) throw asServiceError(error);
      });
    }
  }

  async #removeEmptyParents(path: string): Promise<void> {
    await removeEmptyFolders(dirname(path), this.#root);
  }
}

function newFile(path: string, chunks: readonly Buffer[]): NewFile {
  const bytes = Buffer.allocUnsafeSlow(chunks.reduce((total, chunk) => total + chunk.length, 0));
  chunks.reduce((offset, chunk) => offset + chunk.copy(bytes, offset), 0);
  return { path, partPath: `${path}.${newNonce()}${PART_ENDING}`, bytes };
}

/** Creates a file unless it exists. It is not atomic: a reader may see the file before it has its bytes. */
async function createExclusively(path: string, bytes: Buffer): Promise<boolean> {
  try {
    await writeDurably(path, bytes);
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw asServiceError(error);
  }
}

function requirePrefix(prefix: string): string {
  return prefix === '' ? '' : requireKey(prefix);
}

async function modifiedAtOf(path: string): Promise<Date | undefined> {
  return (await undefinedIfMissing(stat(path)))?.mtime;
}
