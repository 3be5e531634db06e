import { open, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskRoom } from './disk-room.ts';
import { asServiceError, orUndefinedWhereMissing } from './file-errors.ts';
import type { ObjectWriter } from './storage.ts';

/** Chunks are gathered up to this and written in one vectored call. */
const GATHER_BYTES = 1024 * 1024;

/** Writes beside its place; `commit` makes it durable with fdatasync, a rename, and an fsync of the directory. */
export class LocalWriter implements ObjectWriter {
  readonly #partPath: string;
  readonly #path: string;
  readonly #room: DiskRoom;
  readonly #cleanParents: () => Promise<void>;
  #file: FileHandle | undefined;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;

  constructor(file: FileHandle, partPath: string, path: string, room: DiskRoom, cleanParents: () => Promise<void>) {
    this.#file = file;
    this.#partPath = partPath;
    this.#path = path;
    this.#room = room;
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
    await this.#room.check();
    while (leftBytes > 0) {
      const { bytesWritten } = await this.#opened().writev(chunks).catch((error: unknown) => {
        throw asServiceError(error);
      });
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

/** Makes what was created in or renamed into a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
