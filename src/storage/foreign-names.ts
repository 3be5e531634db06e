import { isOwnFolder } from './keys.ts';

/** Folders of `npm start` in `./data`, which may also be the storage. */
const OF_NPM_START: ReadonlySet<string> = new Set(['redis', 'run']);

/**
 * Returns the first name in the root or one level below that is neither a folder of uploads nor tolerated. Undefined if
 * the storage contains only uploads.
 * @param namesIn lists a folder. The root is the empty path.
 */
export async function firstForeignName(namesIn: (folder: string) => Promise<string[]>): Promise<string | undefined> {
  const names = await namesIn('');
  for (const folder of ['', ...names.filter(isOwnFolder)]) {
    for (const name of folder === '' ? names : await namesIn(folder)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (!isOwnFolder(path) && !isTolerated(name) && !OF_NPM_START.has(path)) return path;
    }
  }
  return undefined;
}

/**
 * True for a name that can be in any storage: hidden files and folders of desktops and file systems (`.DS_Store`,
 * `.snapshot`), the installation marker, and the folder that ext4 makes.
 */
function isTolerated(name: string): boolean {
  return name.startsWith('.') || name === 'lost+found';
}
