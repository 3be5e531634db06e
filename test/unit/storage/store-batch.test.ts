import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LocalStorage } from '../../../src/storage/local-storage.ts';
import { storeBatch, type NewFile } from '../../../src/storage/store-batch.ts';
import { storePair } from '../../../src/storage/storage.ts';
import { compiled } from '../../helpers/compiled.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { uploadKeys } from '../../helpers/upload-keys.ts';

const [UPLOAD, OTHER, THIRD] = [uploadKeys(1), uploadKeys(2), uploadKeys(3, 'cd')];

let temp: TempStorage;

beforeEach(async () => {
  temp = await openTempStorage();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await temp.remove();
});

const fileAt = (key: string, text = 'bytes'): NewFile => {
  const path = join(temp.directory, key);
  return { path, partPath: `${path}.0123456789ab.part`, bytes: Buffer.from(text) };
};
const jobOf = (number: number, { original, manifest }: { original: string; manifest: string }) => ({
  number,
  files: [fileAt(original), fileAt(manifest, '{}')],
});

/** Records each call to the disk, with the path below the storage. */
function watchDisk(): string[] {
  const seen: string[] = [];
  const paths = new Map<number, string>();
  const named = (path: fs.PathLike) => relative(temp.directory, path.toString()) || 'root';
  const open = fs.openSync;
  jest.spyOn(fs, 'openSync').mockImplementation((path, ...rest) => {
    const file = open(path, ...rest);
    paths.set(file, named(path));
    return file;
  });
  const sync = fs.fsyncSync;
  jest.spyOn(fs, 'fsyncSync').mockImplementation((file) => {
    seen.push(`sync ${paths.get(file)}`);
    sync(file);
  });
  const syncLater = fs.fsync;
  jest.spyOn(fs, 'fsync').mockImplementation((file, done) => {
    seen.push(`sync ${paths.get(file)}`);
    syncLater(file, done);
  });
  const rename = fs.renameSync;
  jest.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    seen.push(`name ${named(to)}`);
    rename(from, to);
  });
  return seen;
}

describe('a batch of stored files', () => {
  test('syncs all bytes before the first name, and then each folder with new names once', async () => {
    const seen = watchDisk();
    const outcomes = await storeBatch([jobOf(1, UPLOAD), jobOf(2, OTHER)]);
    expect(outcomes).toEqual([1, 2].map((number) => ({ number, hadFolder: false })));
    const parts = [UPLOAD, OTHER].flatMap((keys) => [keys.original, keys.manifest]);
    expect(seen).toEqual([
      ...parts.map((key) => `sync ${key}.0123456789ab.part`),
      ...parts.map((key) => `name ${key}`),
      'sync root',
      'sync ab',
      `sync ${UPLOAD.prefix}`,
      `sync ${OTHER.prefix}`,
    ]);
    expect(temp.files().sort()).toEqual([...parts].sort());
  });

  test('leaves nothing of a job that fails, and completes the others', async () => {
    fs.mkdirSync(join(temp.directory, OTHER.manifest), { recursive: true });
    const outcomes = await storeBatch([jobOf(1, UPLOAD), jobOf(2, OTHER), jobOf(3, THIRD)]);
    expect(outcomes.map(({ number, error }) => [number, error?.code])).toEqual([
      [1, undefined],
      [2, 'EISDIR'],
      [3, undefined],
    ]);
    expect(temp.files().filter((path) => path.startsWith(OTHER.prefix))).toEqual([]);
    expect(temp.files()).toHaveLength(4);
  });

  test('reports a sync of a folder that fails to each job that needs it, and removes their files', async () => {
    const fail = (done: (error: Error) => void) => done(Object.assign(new Error('broken'), { code: 'EIO' }));
    const isFolder = (file: number) => fs.fstatSync(file).isDirectory();
    jest.spyOn(fs, 'fsync').mockImplementation((file, done) => (isFolder(file) ? fail(done) : done(null)));
    jest.spyOn(fs, 'fsyncSync').mockImplementation((file) => {
      if (isFolder(file)) throw Object.assign(new Error('broken'), { code: 'EIO' });
    });
    const outcomes = await storeBatch([jobOf(1, UPLOAD), jobOf(2, OTHER)]);
    expect(outcomes.map(({ error }) => error?.code)).toEqual(['EIO', 'EIO']);
    expect(temp.files()).toEqual([]);
  });
});

describe('local storage with a thread for small files', () => {
  const entry = pathToFileURL(compiled('src/storage/store-thread-entry.ts'));
  const pair = async (storage: LocalStorage, keys = UPLOAD) =>
    await storePair(
      storage,
      { key: keys.original, chunks: [Buffer.from('by'), Buffer.from('tes')] },
      { key: keys.manifest, bytes: Buffer.from('{}') },
    );

  test('stores a file and its companion, several at once', async () => {
    const storage = new LocalStorage(temp.directory, { storeThread: entry });
    const hadFolder = await Promise.all([UPLOAD, OTHER, THIRD].map((keys) => pair(storage, keys)));
    expect([...hadFolder, await pair(storage)]).toEqual([false, false, false, true]);
    const path = join(temp.directory, UPLOAD.original);
    expect(fs.readFileSync(path, 'utf8')).toBe('bytes');
    expect([fs.statSync(path).mode & 0o777, fs.statSync(dirname(path)).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(temp.files()).toHaveLength(6);
    await storage.close();
  });

  test('rejects with storage_unavailable (503) if the disk is away, and leaves no folder', async () => {
    const storage = new LocalStorage(join('/dev/null', 'storage'), { storeThread: entry });
    await expect(pair(storage)).rejects.toMatchObject({ code: 'storage_unavailable' });
    await storage.close();
  });

  test('rejects with storage_unavailable (503) if the thread ends, and starts another one next time', async () => {
    const storage = new LocalStorage(temp.directory, { storeThread: new URL('data:text/javascript,process.exit(3)') });
    for (const keys of [UPLOAD, OTHER])
      await expect(pair(storage, keys)).rejects.toMatchObject({ code: 'storage_unavailable' });
  });
});
