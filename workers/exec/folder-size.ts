import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The maximum number of entries. A folder with more counts as over every limit, because measuring it would take too
 * long.
 */
const MAX_ENTRIES = 20_000;

/** Returns the size of all files below a folder in bytes. A file that is removed meanwhile counts as empty. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  let entries = 0;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const found = await readdir(next, { withFileTypes: true }).catch(() => []);
    entries += found.length;
    if (entries > MAX_ENTRIES) return Infinity;
    for (const entry of found) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else
        bytes += await lstat(path).then(
          ({ size }) => size,
          () => 0,
        );
    }
  }
  return bytes;
}
