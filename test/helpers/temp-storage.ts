import './one-realm.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { filesBelow } from './source-tree.ts';

/** Storage in a directory for one test. */
export interface TempStorage {
  readonly storage: LocalStorage;
  readonly directory: string;
  /** Returns the relative paths of all files, also of unfinished ones. */
  files(): string[];
  remove(): Promise<void>;
}

/** Opens the storage. The caller removes it. */
export async function openTempStorage(): Promise<TempStorage> {
  const directory = await mkdtemp(join(tmpdir(), 'du-storage-'));
  return {
    storage: new LocalStorage(directory),
    directory,
    files: () => filesBelow(directory).map((path) => path.slice(directory.length + 1)),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
