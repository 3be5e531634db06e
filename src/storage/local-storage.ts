import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { DiskRoom } from './disk-room.ts';
import { asServiceError, isMissing, isTaken, orUndefinedWhereMissing } from './file-errors.ts';
import { LocalWriter, PART_ENDING, syncDirectory } from './local-writer.ts';
import { requireKey } from './keys.ts';
import type { ByteRange, LocalFile, ObjectWriter, Storage, StoredObject } from './storage.ts';

/** Each try loses against a removal of that very moment alone. */
const MAX_OPEN_TRIES = 10;

/**
 * Objects as files below one directory. A file is written beside its place, made durable with
 * fdatasync, renamed, and the rename made durable with an fsync of its directory.
 */
export class LocalStorage implements Storage {
  readonly #root: string;
  readonly #room: DiskRoom;

  /** @param options.reserveBytes free disk that is left alone. Default 0. */
  constructor(directory: string, options: { reserveBytes?: number } = {}) {
    this.#root = resolve(directory);
    this.#room = new DiskRoom(this.#root, options.reserveBytes ?? 0);
  }

  async create(key: string): Promise<ObjectWriter> {
    const path = this.#pathOf(key);
    const partPath = `${path}.${randomBytes(6).toString('hex')}${PART_ENDING}`;
    const cleanParents = () => this.#removeEmptyParents(path);
    const target = { partPath, path, pathOf: (other: string) => this.#pathOf(other), room: this.#room, cleanParents };
    try {
      await this.#room.check();
      return new LocalWriter(await this.#openNew(partPath), target);
    } catch (error) {
      await cleanParents();
      throw error;
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable | undefined> {
    if ((await this.stat(key)) === undefined) return undefined;
    const file = await orUndefinedWhereMissing(open(this.#pathOf(key), 'r'));
    return file?.createReadStream(range === undefined ? {} : { start: range.start, end: range.end });
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const found = await orUndefinedWhereMissing(stat(this.#pathOf(key)));
    return found?.isFile() === true ? { key, sizeBytes: found.size, modifiedAt: found.mtime } : undefined;
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    for await (const path of this.#files(prefix)) {
      if (path.endsWith(PART_ENDING)) continue;
      const found = await this.stat(relative(this.#root, path).split(sep).join('/'));
      if (found !== undefined) yield found;
    }
  }

  async removeUnfinished(prefix: string, before: Date): Promise<number> {
    return await this.#prune(prefix === '' ? this.#root : this.#pathOf(prefix), before);
  }

  async remove(key: string): Promise<void> {
    if ((await this.stat(key)) === undefined) return;
    const path = this.#pathOf(key);
    await orUndefinedWhereMissing(unlink(path));
    await this.#removeEmptyParents(path);
  }

  async removeAll(prefix: string): Promise<void> {
    const path = this.#pathOf(prefix);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
    await this.#removeEmptyParents(path);
  }

  async openLocal(key: string): Promise<LocalFile | undefined> {
    const found = await this.stat(key);
    return found === undefined ? undefined : { path: this.#pathOf(key), release: async () => undefined };
  }

  /** Folders without files go too: whoever is about to write to one makes it again. */
  async #prune(directory: string, before: Date): Promise<number> {
    const entries = (await orUndefinedWhereMissing(readdir(directory, { withFileTypes: true }))) ?? [];
    let removed = 0;
    for (const entry of entries) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) removed += await this.#prune(path, before);
      else if (entry.name.endsWith(PART_ENDING) && (await isOlder(path, before))) {
        await orUndefinedWhereMissing(unlink(path));
        removed += 1;
      }
    }
    if (removed > 0 || entries.length === 0) await this.#removeEmptyParents(join(directory, PART_ENDING));
    return removed;
  }

  #files(prefix: string): AsyncGenerator<string> {
    return filesBelow(prefix === '' ? this.#root : this.#pathOf(prefix));
  }

  #pathOf(key: string): string {
    return join(this.#root, ...requireKey(key).split('/'));
  }

  /** Its folders may go with another upload's last file at any moment until it lies in them. */
  async #openNew(partPath: string): Promise<FileHandle> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await open(partPath, 'wx');
      } catch (error) {
        if (!isMissing(error) || tries > MAX_OPEN_TRIES) throw asServiceError(error);
      }
      await this.#makeDirectory(dirname(partPath)).catch((error: unknown) => {
        if (!isMissing(error) && !isTaken(error)) throw asServiceError(error);
      });
    }
  }

  async #makeDirectory(directory: string): Promise<void> {
    const firstMade = await mkdir(directory, { recursive: true });
    if (firstMade !== undefined) await this.#syncNewDirectories(dirname(firstMade), directory);
  }

  async #syncNewDirectories(from: string, to: string): Promise<void> {
    for (let directory = dirname(to); directory.length >= from.length; directory = dirname(directory)) {
      await orUndefinedWhereMissing(syncDirectory(directory));
      if (directory === dirname(directory)) return;
    }
  }

  async #removeEmptyParents(path: string): Promise<void> {
    for (let directory = dirname(path); directory.length > this.#root.length; directory = dirname(directory)) {
      try {
        await rmdir(directory);
      } catch {
        return;
      }
    }
  }
}

async function isOlder(path: string, than: Date): Promise<boolean> {
  const found = await orUndefinedWhereMissing(stat(path));
  return found !== undefined && found.mtime < than;
}

/** Folders go with their last file, at any moment: Node's own recursive listing would fail then. */
async function* filesBelow(directory: string): AsyncGenerator<string> {
  const entries = (await orUndefinedWhereMissing(readdir(directory, { withFileTypes: true }))) ?? [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}
