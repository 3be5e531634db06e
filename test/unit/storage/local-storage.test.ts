import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readlink, rename, stat, symlink, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../../src/settings/config.ts';
import { storageUnavailable } from '../../../src/storage/file-errors.ts';
import { removeEmptyFolders, syncFolder } from '../../../src/storage/local-folders.ts';
import { LocalStorage } from '../../../src/storage/local-storage.ts';
import { walkOwn } from '../../../src/storage/local-walk.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { commitWith, putObject } from '../../../src/storage/storage.ts';
import { eventually } from '../../helpers/eventually.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import { uploadKeys } from '../../helpers/upload-keys.ts';

const [UPLOAD, OTHER] = [uploadKeys(1), uploadKeys(2, 'cd')];

let temp: TempStorage;

beforeEach(async () => {
  temp = await openTempStorage();
});
afterEach(async () => {
  await temp.remove();
});

/** Returns the files of the directory that this process holds open. */
async function openFiles(): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd').catch(() => []);
  const targets = await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(temp.directory));
}

/** Returns the calls to the disk, each with whether `path` existed at that time. */
async function withSyncsSeen(path: string, work: () => Promise<void>): Promise<string[]> {
  const file = await open(temp.directory, 'r');
  const handles = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
  const seen: string[] = [];
  const spies = (
    [
      ['sync', 'names'],
      ['datasync', 'bytes'],
    ] as const
  ).map(([name, what]) => {
    const real = Object.getOwnPropertyDescriptor(handles, name)?.value as (this: FileHandle) => Promise<void>;
    return jest.spyOn(handles, name).mockImplementation(async function (this: FileHandle) {
      seen.push(`${what} ${existsSync(path) ? 'after' : 'before'}`);
      await real.call(this);
    });
  });
  try {
    await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return seen;
}

describe('local storage', () => {
  test('syncs the bytes before a file becomes visible, and its name before the commit resolves', async () => {
    await putObject(temp.storage, 'ab/abcd/other', Buffer.from('x'));
    const writer = await temp.storage.create('ab/abcd/x.original');
    await writer.write(Buffer.from('x'));
    const manifest = { key: 'ab/abcd/x.manifest.json', bytes: Buffer.from('{}') };
    expect(
      await withSyncsSeen(join(temp.directory, 'ab/abcd/x.original'), () => commitWith(temp.storage, writer, manifest)),
    ).toEqual(['bytes before', 'bytes before', 'names after']);
    const alone = await temp.storage.create('ab/abcd/y');
    expect(await withSyncsSeen(join(temp.directory, 'ab/abcd/y'), () => alone.commit())).toEqual([
      'bytes before',
      'names after',
    ]);
  });

  test('syncs the names of new folders', async () => {
    const names = await withSyncsSeen(
      join(temp.directory, 'cd/cdef/x'),
      async () => await (await temp.storage.create('cd/cdef/x')).discard(),
    );
    expect(names).toEqual(['names before', 'names before']);
  });

  test('stores an object in a file under its key', async () => {
    await putObject(temp.storage, 'ab/abcd/x.original', Buffer.from('x'));
    expect(temp.files()).toEqual(['ab/abcd/x.original']);
  });

  test('removes empty folders with their last file and keeps the root', async () => {
    await putObject(temp.storage, 'ab/abcd/attempt-1/160.jpeg', Buffer.from('x'));
    await temp.storage.remove('ab/abcd/attempt-1/160.jpeg');
    expect(await readdir(temp.directory)).toEqual([]);
    await (await temp.storage.create('ab/abcd/x')).discard();
    expect(await readdir(temp.directory)).toEqual([]);
  });

  test('neither lists nor reads an unfinished file, and removes it with all others', async () => {
    await mkdir(join(temp.directory, UPLOAD.prefix), { recursive: true });
    for (const ending of ['0123456789ab.part', '0123456789ab.part.beside.part'])
      await writeFile(join(temp.directory, `${UPLOAD.original}.${ending}`), 'half');
    const listed = [];
    for await (const object of temp.storage.list('ab')) listed.push(object);
    expect(listed).toEqual([]);
    await temp.storage.removeAll(UPLOAD.prefix);
    expect(temp.files()).toEqual([]);
  });

  test('removes unfinished files and empty folders and keeps other files', async () => {
    for (const folder of [UPLOAD.attempt(1), UPLOAD.attempt(2), OTHER.attempt(1)])
      await mkdir(join(temp.directory, folder), { recursive: true });
    const variant = UPLOAD.variant('160.jpeg', 2);
    await writeFile(join(temp.directory, `${variant}.0123456789ab.part`), 'half');
    await putObject(temp.storage, UPLOAD.original, Buffer.from('x'));
    const soon = new Date(Date.now() + 60_000);
    expect(await temp.storage.removeUnfinished(UPLOAD.prefix, soon)).toEqual([variant]);
    expect((await readdir(temp.directory, { recursive: true })).sort()).toEqual([
      'ab',
      UPLOAD.prefix,
      UPLOAD.original,
      'cd',
      OTHER.prefix,
      OTHER.attempt(1),
    ]);
    expect(await temp.storage.removeUnfinished('', soon)).toEqual([]);
    expect(await readdir(temp.directory)).toEqual(['ab']);
  });

  test('closes every file after each way in which writing or reading ends', async () => {
    const { storage } = temp;
    await putObject(storage, 'ab/1', Buffer.from('x'));
    await (await storage.create('ab/2')).discard();
    const lost = await storage.create(OTHER.original);
    await storage.removeAll(OTHER.prefix);
    await lost.commit().catch(() => undefined);
    await lost.discard();
    const stream = await storage.read('ab/1', { start: 0, end: 0 });
    stream?.destroy();
    await eventually('no file to be open', async () => (await openFiles()).length === 0);
  });

  test('leaves no unfinished file if the companion cannot be written', async () => {
    const writer = await temp.storage.create('ab/1/x');
    await writer.write(Buffer.from('x'));
    await expect(commitWith(temp.storage, writer, { key: 'not/there', bytes: Buffer.from('y') })).rejects.toThrow();
    await writer.discard();
    await temp.storage.remove('ab/1/x');
    expect(temp.files()).toEqual([]);
    expect(await openFiles()).toEqual([]);
  });

  test('rejects a commit with storage_unavailable (503) if its unfinished file was removed', async () => {
    const writer = await temp.storage.create(UPLOAD.original);
    await writer.write(Buffer.from('x'));
    await temp.storage.removeUnfinished('', new Date(Date.now() + 60_000));
    await expect(writer.commit()).rejects.toMatchObject({ code: 'storage_unavailable' });
    await writer.discard();
  });

  describe('whose disk is away, so that its path leads to a device,', () => {
    let storage: LocalStorage;
    const leadTo = async (target: string): Promise<void> => {
      await symlink(target, join(temp.directory, 'next'));
      await rename(join(temp.directory, 'next'), join(temp.directory, 'storage'));
    };

    beforeEach(async () => {
      await mkdir(join(temp.directory, 'files'));
      await leadTo(join(temp.directory, 'files'));
      storage = new LocalStorage(join(temp.directory, 'storage'));
    });

    test('reports an error of the disk for the sync of a folder too', async () => {
      await expect(syncFolder('/dev/null')).rejects.toMatchObject({ code: 'ENOTDIR' });
    });

    test('rejects the removal of a folder with storage_unavailable (503), so that it is repeated', async () => {
      await expect(removeEmptyFolders('/dev/null/ab', '/dev')).rejects.toMatchObject({ code: 'storage_unavailable' });
    });

    test('rejects a commit with storage_unavailable (503), and its discard does not replace this error', async () => {
      const writer = await storage.create(UPLOAD.original);
      await writer.write(Buffer.from('x'));
      await leadTo('/dev/null');
      await expect(writer.commit()).rejects.toMatchObject({ code: 'storage_unavailable' });
      await writer.discard();
      await leadTo(join(temp.directory, 'files'));
      expect(await storage.removeUnfinished('', new Date(Date.now() + 60_000))).toEqual([UPLOAD.original]);
      expect(await readdir(join(temp.directory, 'files'))).toEqual([]);
    });

    test('rejects the end of a growing part with storage_unavailable (503), but not its discard', async () => {
      const keyOf = (sizeBytes: number) => UPLOAD.growing(0, 1, { sizeBytes, isOpen: true });
      const part = await storage.growing.open(keyOf(0));
      await part?.write(Buffer.from('x'));
      await leadTo('/dev/null');
      await expect(part?.close(keyOf)).rejects.toMatchObject({ code: 'storage_unavailable' });
      await part?.discard(keyOf);
      expect(await openFiles()).toEqual([]);
    });
  });

  test('lists the other folders if a folder is removed during the listing', async () => {
    const { storage } = temp;
    const all = Array.from({ length: 100 }, (_, index) => uploadKeys(index));
    for (const { original } of all) await (await storage.create(original)).commit();
    const listed: string[] = [];
    for await (const { key } of storage.list('ab')) {
      if (listed.push(key) > 1) continue;
      for (const { original, prefix } of all) if (original !== key) await storage.removeAll(prefix);
    }
    expect(listed).toHaveLength(1);
  });

  test('removes the other unfinished files if one cannot be used', async () => {
    const { storage } = temp;
    const writers = await Promise.all([UPLOAD, OTHER].map(({ original }) => storage.create(original)));
    for (const writer of writers) await writer.write(Buffer.from('x'));
    const foreign = Object.assign(new Error('not yours'), { code: 'EACCES' });
    const mayRemove = async ({ key }: { key: string }): Promise<boolean> => {
      if (key === UPLOAD.original) throw storageUnavailable(foreign);
      return true;
    };
    const later = new Date(Date.now() + 60_000);
    expect(await storage.removeUnfinished('', later, mayRemove)).toEqual([OTHER.original]);
    expect(await storage.removeUnfinished('', later)).toEqual([UPLOAD.original]);
    for (const writer of writers) await writer.discard();
  });

  test('makes files and folders that only its own user can read', async () => {
    const { storage, directory } = temp;
    const writer = await storage.create(UPLOAD.original);
    await commitWith(storage, writer, { key: UPLOAD.manifest, bytes: Buffer.from('{}') });
    await storage.createOnce('.marker.json', Buffer.from('{}'));
    const modeOf = async (path: string) => ((await stat(join(directory, path))).mode & 0o777).toString(8);
    for (const folder of ['ab', UPLOAD.prefix]) expect([folder, await modeOf(folder)]).toEqual([folder, '700']);
    for (const file of [UPLOAD.original, UPLOAD.manifest, '.marker.json'])
      expect([file, await modeOf(file)]).toEqual([file, '600']);
  });

  test('skips and reports a folder that it cannot read, and lists the others', async () => {
    const { storage, directory } = temp;
    for (const { original } of [UPLOAD, OTHER]) await putObject(storage, original, Buffer.from('x'));
    const unreadable = Object.assign(new Error('not yours'), { code: 'EACCES' });
    const listed: string[] = [];
    const skipped: string[] = [];
    const walk = walkOwn(
      directory,
      '',
      (path) => void skipped.push(path),
      async (folder) => {
        if (folder.endsWith(UPLOAD.prefix)) throw unreadable;
        return await readdir(folder, { withFileTypes: true });
      },
    );
    for await (const found of walk) if ('file' in found) listed.push(found.file.path);
    expect([listed, skipped]).toEqual([[OTHER.original], [UPLOAD.prefix]]);
  });

  test('makes a missing root with the first object', async () => {
    const storage = new LocalStorage(join(temp.directory, 'not/yet'));
    expect(await storage.stat('a')).toBeUndefined();
    await putObject(storage, 'a', Buffer.from('x'));
    expect(temp.files()).toEqual(['not/yet/a']);
  });
});

describe('the setting STORAGE', () => {
  test.each(['file:', 'file://'])('%s<directory> opens that directory', async (scheme) => {
    const { s3, storageReserveBytes } = loadConfig({});
    const storage = await openStorage({ storage: `${scheme}${temp.directory}/x`, storageReserveBytes, s3 });
    await putObject(storage, 'a', Buffer.from('x'));
    expect(temp.files()).toEqual(['x/a']);
  });
});

test.each<[string, (storage: LocalStorage) => Promise<unknown>]>([
  ['stat', async (storage) => await storage.stat(UPLOAD.original)],
  ['remove', async (storage) => await storage.remove(UPLOAD.original)],
  ['removeUnfinished', async (storage) => await storage.removeUnfinished('', new Date())],
])('%s rejects with storage_unavailable if the root is not a directory', async (_name, call) => {
  const storage = new LocalStorage(join('/dev/null', 'storage'));
  await expect(call(storage)).rejects.toMatchObject({ code: 'storage_unavailable' });
});
