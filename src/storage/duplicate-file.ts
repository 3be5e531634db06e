import { constants, copyFile, link, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cannotLink, isMissing } from './file-errors.ts';
import { newNonce } from './keys.ts';
import { makeFolders, syncFolder } from './local-folders.ts';
import { PART_ENDING } from './local-writer.ts';

/** Number of attempts. One fails only if the folder of the new file is removed at the same moment. */
const MAX_TRIES = 10;

/**
 * Gives a file a second name, durably: as a hard link, or as a copy if the file system has no hard links. An existing
 * file with that name is replaced. False if `from` does not exist.
 */
export async function duplicateFile(from: string, to: string): Promise<boolean> {
  const draft = `${to}.${newNonce()}${PART_ENDING}`;
  for (let tries = 1; ; tries += 1) {
    try {
      await makeFolders(dirname(to));
      await linkOrCopy(from, draft);
      await rename(draft, to);
      // If both names are links to one file, the rename does nothing and leaves the draft.
      await unlink(draft).catch(() => undefined);
      await syncFolder(dirname(to));
      return true;
    } catch (error) {
      await unlink(draft).catch(() => undefined);
      if (!isMissing(error)) throw error;
      if (!(await isThere(from))) return false;
      if (tries === MAX_TRIES) throw error;
    }
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    return;
  } catch (error) {
    if (!cannotLink(error)) throw error;
  }
  // Some file systems without hard links can share the blocks of two files.
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  const file = await open(to, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
