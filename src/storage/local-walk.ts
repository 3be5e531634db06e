import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isForbidden, undefinedIfMissing } from './file-errors.ts';
import { isOwnFolder, parseKey, unfinishedKey } from './keys.ts';
import type { OnUnreadable } from './storage.ts';

/** A file of an upload on disk. */
export interface FoundFile {
  /** Relative to the root, with slashes. It is the key of a finished file. */
  path: string;
  isFinished: boolean;
}

/** Lists a folder. It rejects with `ENOENT` if the folder was removed with its last file. */
type ReadFolder = (folder: string) => Promise<Dirent[]>;

/** A file of an upload, or a folder of uploads after everything in it. */
export type Found = { file: FoundFile } | { folder: string };

/**
 * Walks the files and folders of uploads below `from`, depth first. Files and folders that this service did not make
 * are skipped and not opened. Rejects if `from` itself cannot be read. A folder below it that this process may not read
 * is reported and skipped.
 */
export async function* walkOwn(
  root: string,
  from: string,
  onUnreadable: OnUnreadable,
  read: ReadFolder = readFolder,
): AsyncGenerator<Found> {
  for (const entry of (await undefinedIfMissing(read(join(root, from)))) ?? []) {
    const path = from === '' ? entry.name : `${from}/${entry.name}`;
    if (entry.isDirectory() && isOwnFolder(path)) yield* walkBelow(root, path, onUnreadable, read);
    else if (entry.isFile() && parseKey(path) !== undefined) yield { file: { path, isFinished: true } };
    else if (entry.isFile() && unfinishedKey(path) !== undefined) yield { file: { path, isFinished: false } };
  }
  if (from !== '') yield { folder: from };
}

async function* walkBelow(
  root: string,
  path: string,
  onUnreadable: OnUnreadable,
  read: ReadFolder,
): AsyncGenerator<Found> {
  try {
    yield* walkOwn(root, path, onUnreadable, read);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    onUnreadable(path, error);
  }
}

async function readFolder(folder: string): Promise<Dirent[]> {
  return await readdir(folder, { withFileTypes: true });
}
