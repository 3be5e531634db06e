import { constants } from 'node:fs';
import { mkdir, open, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ServiceError } from '../errors.ts';
import { asServiceError, codeOf, isForbidden, isMissing, isTaken, undefinedIfMissing } from './file-errors.ts';

/** Mode of folders: other users of the machine must not read uploads or list their ids. */
export const FOLDER_MODE = 0o700;

/** Mode of files: other users of the machine must not read uploads. */
export const FILE_MODE = 0o600;

/**
 * Makes a folder and its missing parents, and makes their names durable. Each level is made separately: Node's
 * recursive `mkdir` never returns if a folder cannot be made although its parent exists, for example below /proc.
 */
export async function makeFolders(folder: string): Promise<void> {
  try {
    return await makeFolder(folder);
  } catch (error) {
    if (!isMissing(error) || folder === dirname(folder)) throw error;
  }
  await makeFolders(dirname(folder));
  await makeFolder(folder);
}

/**
 * Makes the names in a folder durable, after a file was created in it or renamed into it. Rejects with `ENOTDIR` if the
 * path leads to something else, such as a device in place of a disk. Its fsync would fail with `EINVAL`.
 */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Removes the folder and its parents below `root` while they are empty. Rejects with `storage_unavailable` (503) if the
 * disk is away, so that the caller removes them later.
 */
export async function removeEmptyFolders(from: string, root: string): Promise<void> {
  for (let folder = from; folder.length > root.length; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      const known = asServiceError(error);
      if (known instanceof ServiceError && !isForbidden(error) && codeOf(error) !== 'EBUSY') throw known;
      return;
    }
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: FOLDER_MODE });
  } catch (error) {
    if (isTaken(error)) return;
    throw error;
  }
  await undefinedIfMissing(syncFolder(dirname(folder)));
}
