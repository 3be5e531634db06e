import { mkdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { FOLDER_MODE } from '../../src/storage/local-folders.ts';
import { newCopyPath } from '../../src/storage/local-copies.ts';

/** A program may still write to its folder while it is removed. */
const REMOVE_TRIES = 5;

/**
 * Calls `use` with a new empty folder, and removes the folder afterwards. Its name says which process it belongs to, so
 * that a later worker removes it if this process is killed (`removeAbandonedCopies`).
 */
export async function withRunFolder<Value>(use: (folder: string) => Promise<Value>): Promise<Value> {
  const path = newCopyPath(await realpath(tmpdir()));
  await mkdir(path, { mode: FOLDER_MODE });
  try {
    return await use(path);
  } finally {
    await rm(path, { recursive: true, force: true, maxRetries: REMOVE_TRIES });
  }
}
