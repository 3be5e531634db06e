import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskSpace } from '../../../src/storage/disk-space.ts';
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

test('accepts an object if more than the reserve is free', async () => {
  await expect(new DiskSpace(directory, Math.floor((await freeBytes()) / 2)).check()).resolves.toBeUndefined();
});

test('rejects with storage_full (507) if less than the reserve is free', async () => {
  await expect(new DiskSpace(directory, (await freeBytes()) * 2).check()).rejects.toMatchObject({
    code: 'storage_full',
    status: 507,
  });
});

test('checks nothing with a reserve of 0', async () => {
  await expect(new DiskSpace(join(directory, 'missing'), 0).check()).resolves.toBeUndefined();
});

test('rejects an object on a full storage before its first byte and leaves no file', async () => {
  const storage = new LocalStorage(directory, { reserveBytes: (await freeBytes()) * 2 });
  await expect(storage.create('ab/abcd/x.original')).rejects.toMatchObject({ code: 'storage_full' });
  expect(await readdir(directory)).toEqual([]);
});
