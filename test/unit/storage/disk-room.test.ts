import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskRoom } from '../../../src/storage/disk-room.ts';
import { LocalStorage } from '../../../src/storage/local-storage.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-room-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

test('more free than the reserve is room', async () => {
  await expect(new DiskRoom(directory, Math.floor((await freeBytes()) / 2)).check()).resolves.toBeUndefined();
});

test('less free than the reserve is storage_full', async () => {
  await expect(new DiskRoom(directory, (await freeBytes()) * 2).check()).rejects.toMatchObject({
    code: 'storage_full',
    status: 507,
  });
});

test('a reserve of 0 looks at nothing', async () => {
  await expect(new DiskRoom(join(directory, 'missing'), 0).check()).resolves.toBeUndefined();
});

test('a storage without room refuses an object before its first byte and leaves nothing', async () => {
  const storage = new LocalStorage(directory, { reserveBytes: (await freeBytes()) * 2 });
  await expect(storage.create('ab/abcd/x.original')).rejects.toMatchObject({ code: 'storage_full' });
  expect(await readdir(directory)).toEqual([]);
});
