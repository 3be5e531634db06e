import { randomBytes } from 'node:crypto';
import { mkdir, open, opendir, rename, rm, rmdir, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { ServiceError } from '../errors.ts';
import type { ByteRange, LocalFile, ObjectWriter, Storage, StoredObject } from './storage.ts';

const PART_ENDING = '.part';

/** Chunks are gathered up to this and written in one vectored call. */
const GATHER_BYTES = 1024 * 1024;

/**
 * Objects as files below one directory. A file is written beside its place, made durable with
 * fdatasync, renamed, and the rename made durable with an fsync of its directory.
 */
export class LocalStorage implements Storage {
  readonly #root: string;

  constructor(directory: string) {
    this.#root = resolve(directory);
  }

  async create(key: string): Promise<ObjectWriter> {
    const path = this.#pathOf(key);
    const partPath = `${path}.${randomBytes(6).toString('hex')}${PART_ENDING}`;
    const firstMade = await mkdir(dirname(path), { recursive: true });
    if (firstMade !== undefined) await this.#syncNewDirectories(dirname(firstMade), dirname(path));
    return new LocalWriter(await this.#openNew(partPath), partPath, path, () => this.#removeEmptyParents(path));
  }

  async read(key: string, range?: ByteRange): Promise<Readable | undefined> {
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

  async removeUnfinished(before: Date): Promise<number> {
    let removed = 0;
    for await (const path of this.#files('')) {
      if (!path.endsWith(PART_ENDING)) continue;
      const found = await orUndefinedWhereMissing(stat(path));
      if (found === undefined || found.mtime >= before) continue;
      await orUndefinedWhereMissing(unlink(path));
      await this.#removeEmptyParents(path);
      removed += 1;
    }
    return removed;
  }

  async remove(key: string): Promise<void> {
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

  async *#files(prefix: string): AsyncGenerator<string> {
    const path = prefix === '' ? this.#root : this.#pathOf(prefix);
    const directory = await orUndefinedWhereMissing(opendir(path, { recursive: true }));
    if (directory === undefined) return;
    for await (const entry of directory) if (entry.isFile()) yield join(entry.parentPath, entry.name);
  }

  /** Keys are made by the service, so a wrong one is a fault of ours; it must still not leave the root. */
  #pathOf(key: string): string {
    const segments = key.split('/');
    const isSafe = segments.every((segment) => /^[A-Za-z0-9._-]+$/.test(segment) && !/^\.+$/.test(segment));
    if (!isSafe) throw new Error('not a storage key');
    return join(this.#root, ...segments);
  }

  /** Another upload's last file may have gone, and its directory with it, since ours was made. */
  async #openNew(partPath: string): Promise<FileHandle> {
    try {
      return await open(partPath, 'wx');
    } catch (error) {
      if (!isMissing(error)) throw asServiceError(error);
      await mkdir(dirname(partPath), { recursive: true });
      return await open(partPath, 'wx');
    }
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

class LocalWriter implements ObjectWriter {
  readonly #partPath: string;
  readonly #path: string;
  readonly #cleanParents: () => Promise<void>;
  #file: FileHandle | undefined;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;

  constructor(file: FileHandle, partPath: string, path: string, cleanParents: () => Promise<void>) {
    this.#file = file;
    this.#partPath = partPath;
    this.#path = path;
    this.#cleanParents = cleanParents;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#gatheredBytes >= GATHER_BYTES) await this.#flush();
  }

  async commit(): Promise<void> {
    await this.#flush();
    const file = this.#opened();
    try {
      await file.datasync();
      await file.close();
      this.#file = undefined;
      await rename(this.#partPath, this.#path);
      await syncDirectory(dirname(this.#path));
    } catch (error) {
      throw asServiceError(error);
    }
  }

  async discard(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#gathered = [];
    await file?.close().catch(() => undefined);
    await orUndefinedWhereMissing(unlink(this.#partPath));
    await this.#cleanParents();
  }

  async #flush(): Promise<void> {
    const chunks = this.#gathered;
    let leftBytes = this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    while (leftBytes > 0) {
      const { bytesWritten } = await this.#opened().writev(chunks).catch(rethrowAsServiceError);
      leftBytes -= bytesWritten;
      dropWritten(chunks, bytesWritten);
    }
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('the object is ended already');
    return this.#file;
  }
}

/** A vectored write may stop short, as on a disk that is about to be full. */
function dropWritten(chunks: Buffer[], bytesWritten: number): void {
  let left = bytesWritten;
  for (let first = chunks[0]; first !== undefined && left > 0; first = chunks[0]) {
    if (left < first.length) {
      chunks[0] = first.subarray(left);
      return;
    }
    left -= first.length;
    chunks.shift();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function orUndefinedWhereMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asServiceError(error);
  }
}

function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function rethrowAsServiceError(error: unknown): never {
  throw asServiceError(error);
}

function asServiceError(error: unknown): unknown {
  const code = codeOf(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new ServiceError('storage_full', 'The server has no room for this file at the moment. Try again later.', { cause: error });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
