import { mkdir, readFile, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** File names of other programs that look similar to keys of this service. */
const NAMES = [
  'al/alice/letter.odt',
  'en/en/strings.json',
  'ab/abcdef0123/data',
  'Downloads/film.mkv.part',
  'my photo.jpg',
  'lost+found/#12',
  '.fseventsd/a b',
  '20/2024-report/attempt-1/x.png',
];

const AGE_MS = 3 * 24 * 3_600_000;

/** Files of other programs in the storage directory, old enough to look abandoned. */
export class ForeignFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async plant(): Promise<void> {
    const modifiedAt = new Date(Date.now() - AGE_MS);
    for (const name of NAMES) {
      const path = join(this.#directory, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, name);
      await utimes(path, modifiedAt, modifiedAt);
    }
  }

  /** Returns the files that are missing or changed, and removes all of them. */
  async collect(): Promise<string[]> {
    const harmed: string[] = [];
    for (const name of NAMES) {
      const text = await readFile(join(this.#directory, name), 'utf8').catch(() => undefined);
      if (text !== name) harmed.push(`${name} ${text === undefined ? 'is gone' : 'was changed'}`);
    }
    // Folders such as `ab` may also hold uploads and are kept then.
    for (const name of NAMES) await rm(join(this.#directory, name), { force: true });
    for (const name of NAMES) await removeEmptyFolders(this.#directory, dirname(name));
    return harmed;
  }
}

async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  if (folder === '.') return;
  await rmdir(join(root, folder)).catch(() => undefined);
  await removeEmptyFolders(root, dirname(folder));
}
