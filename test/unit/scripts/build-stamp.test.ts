import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { isUsable, type BuildTarget } from '../../../scripts/setup/build.mjs';
import { beginStamp, isFresh } from '../../../scripts/setup/build-stamp.mjs';
import { projectRoot } from '../../../scripts/setup/project-root.mjs';

let directory: string;
let target: BuildTarget;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'du-build-'));
  for (const folder of ['out', 'src', join('src', 'left-out')]) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'src', 'one.ts'), 'export {};');
  const sources = relative(projectRoot, join(directory, 'src'));
  target = {
    directory: join(directory, 'out'),
    compilerConfig: 'tsconfig.build.json',
    sources: [sources],
    without: [join(sources, 'left-out')],
    isPrivate: true,
    bundlesPackages: false,
    cachesCode: false,
  };
});

afterEach(() => rmSync(directory, { recursive: true }));

test('a build is out of date until its stamp is written', () => {
  expect(isFresh(target)).toBe(false);
  const stamp = beginStamp(target, target.directory);
  expect(isFresh(target)).toBe(false);
  stamp();
  expect(isFresh(target)).toBe(true);
});

test.each<[change: string, apply: (source: string) => void]>([
  ['another content', (source) => writeFileSync(join(source, 'one.ts'), 'export [];')],
  ['a new file', (source) => writeFileSync(join(source, 'two.ts'), '')],
  ['a missing file', (source) => rmSync(join(source, 'one.ts'))],
])('%s of the sources makes the build out of date', (_, apply) => {
  beginStamp(target, target.directory)();
  apply(join(directory, 'src'));
  expect(isFresh(target)).toBe(false);
});

test('a source that changes during the build makes it out of date', () => {
  const stamp = beginStamp(target, target.directory);
  writeFileSync(join(directory, 'src', 'one.ts'), 'export [];');
  stamp();
  expect(isFresh(target)).toBe(false);
});

test('a new modification time or a change in an excluded folder does not make the build out of date', () => {
  beginStamp(target, target.directory)();
  utimesSync(join(directory, 'src', 'one.ts'), 1, 1);
  writeFileSync(join(directory, 'src', 'left-out', 'two.ts'), '');
  expect(isFresh(target)).toBe(true);
});

test('a build without its sources is used as it is', () => {
  expect(isUsable(target)).toBe(false);
  rmSync(join(directory, 'src'), { recursive: true });
  expect(isUsable(target)).toBe(true);
});
