import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { MARKER_KEY } from '../../src/storage/keys.ts';

/**
 * Whole paths of all files of uploads below a directory, unfinished ones too. Folders go with their last file at any moment, and
 * Node's own recursive listing fails then; here one that is gone has none.
 */
export async function storedFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) files.push(...(await storedFiles(path)));
    else if (entry.isFile() && !entry.name.startsWith(MARKER_KEY)) files.push(path);
  }
  return files;
}

/** Those that lie in a folder of the upload. */
export async function filesOfUpload(directory: string, id: string): Promise<string[]> {
  return (await storedFiles(directory)).filter((path) => relative(directory, path).includes(`${id}/`));
}
