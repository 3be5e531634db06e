import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compiled } from '../helpers/compiled.ts';
import { startRedisServer } from '../helpers/redis-server.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-full-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Runs a program on a small disk. The disk is in a mount namespace of its own, so it is gone with the process. */
async function onSmallDisk(program: string, ...args: readonly string[]): Promise<unknown> {
  const script = 'mount -t tmpfs -o size=2m tmpfs "$2" && exec "$0" "$@"';
  const { stdout } = await promisify(execFile)('unshare', [
    '-rm',
    'sh',
    '-c',
    script,
    process.execPath,
    compiled(program),
    directory,
    ...args,
  ]);
  return JSON.parse(stdout);
}

test('a file that fills the disk is rejected as storage_full (507) and leaves nothing', async () => {
  expect(await onSmallDisk('test/helpers/fill-disk.ts')).toEqual({ code: 'storage_full', left: [] });
});

test('a service with a full disk stores uploads that fit, and rejects others without leftovers', async () => {
  const redis = await startRedisServer();
  try {
    expect(await onSmallDisk('test/helpers/fill-disk-service.ts', redis.url)).toEqual({
      put: '507 storage_full',
      post: '507 storage_full',
      patch: '507 storage_full, then 0',
      afterwards: '202 queued',
      left: 'nothing',
    });
  } finally {
    await redis.stop();
  }
});
