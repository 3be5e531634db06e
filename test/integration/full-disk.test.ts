import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-full-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** In a mount namespace of its own, so that the disk is gone with the process. */
test('a disk that fills up in mid-file is storage_full, and leaves nothing', async () => {
  const script = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$0" --import tsx test/helpers/fill-disk.ts "$1"';
  const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', script, process.execPath, directory]);
  expect(JSON.parse(stdout)).toEqual({ code: 'storage_full', left: [] });
});
