import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { MARKER_KEY } from '../../src/storage/keys.ts';

/**
 * Returns the paths of all files of uploads below a directory, also of unfinished ones. A folder may be removed at any
 * moment, which makes Node's recursive listing fail. Here such a folder counts as empty.
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

/** Returns the files in the folder of the upload. */
export async function filesOfUpload(directory: string, id: string): Promise<string[]> {
  return (await storedFiles(directory)).filter((path) => relative(directory, path).includes(`${id}/`));
}
