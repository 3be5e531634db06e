import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadScript } from '../../../src/queue/load-script.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'du-scripts-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function write(name: string, text: string): URL {
  const path = join(directory, `${name}.lua`);
  writeFileSync(path, text);
  return pathToFileURL(path);
}

test('inserts each part once, at its first include, and drops comments', () => {
  write('time', '-- The time.\nlocal time = 1\n');
  write('waiting', '--- @include "time"\nlocal waiting = time\n');
  const main = write(
    'main',
    '-- Head.\n--- @include "waiting"\n--- @include "time"\n\nreturn waiting -- behind code\n',
  );
  expect(loadScript(main)).toBe('local time = 1\nlocal waiting = time\nreturn waiting -- behind code');
});

test('throws if a part is missing', () => {
  expect(() => loadScript(write('main', '--- @include "nothing"\n'))).toThrow(/ENOENT/);
});

test.each(['src/queue/scripts', 'src/record/scripts'])('every script in %s documents its KEYS or ARGV', (folder) => {
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.lua'));
  expect(scripts.length).toBeGreaterThan(5);
  const bare = scripts.filter((name) => !/^-- (KEYS|ARGV) /m.test(readFileSync(join(folder, name), 'utf8')));
  expect(bare).toEqual([]);
});
