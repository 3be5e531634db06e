import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { newCopyPath, removeAbandonedCopies } from '../../../src/storage/local-copies.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'du-copies-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('removes only the copies of dead processes of this host', async () => {
  const own = basename(newCopyPath(directory));
  const { pid: goneId } = spawnSync(process.execPath, ['-e', '0']);
  const abandoned = own.replace(`-${process.pid}-`, `-${goneId}-`);
  const ofAnotherHost = abandoned.replace(/^deferred-uploads-/, 'deferred-uploads-other-');
  const kept = [own, ofAnotherHost, 'deferred-uploads-notes.txt', `x${abandoned}`];
  for (const name of [abandoned, ...kept]) await writeFile(join(directory, name), 'x');
  expect(await removeAbandonedCopies(directory)).toBe(1);
  expect((await readdir(directory)).sort()).toEqual(kept.sort());
});

test('removes the copies of an earlier process that had the same number', async () => {
  const earlier = basename(newCopyPath(directory));
  const own = basename(newCopyPath(directory));
  for (const name of [earlier, own]) await writeFile(join(directory, name), 'x');
  await utimes(join(directory, earlier), 0, 0);
  expect([await removeAbandonedCopies(directory), await readdir(directory)]).toEqual([1, [own]]);
});
