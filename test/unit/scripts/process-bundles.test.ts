import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TEST_BUILD } from '../../../scripts/setup/build.mjs';
import { bundledProcesses } from '../../../scripts/setup/process-bundles.mjs';
import { compiled, compiledForStart } from '../../helpers/compiled.ts';

/* The set-up of Jest has made the bundles. */
const FOLDER = join(TEST_BUILD.directory, 'bundled');

function bundles(): string[] {
  return readdirSync(FOLDER).map((name) => readFileSync(join(FOLDER, name), 'utf8'));
}

describe('the bundles of processes', () => {
  test('replace the first modules of API and worker processes', () => {
    expect(bundledProcesses()).toEqual(expect.arrayContaining(['src/server/main.ts', 'workers/main.ts']));
    for (const entry of bundledProcesses()) {
      const [, bundle = ''] = /^import "(.+)";\n$/.exec(readFileSync(compiled(entry), 'utf8')) ?? [];
      expect(existsSync(resolve(compiled(entry), '..', bundle))).toBe(true);
    }
  });

  test('contain our own modules, and leave the packages in their own bundles', () => {
    const imports = bundles().flatMap((text) => [...text.matchAll(/(?:from|^import|import\() ?"([^"]+)"/gm)]);
    const names = new Set(imports.map(([, name = '']) => name));
    expect([...names].filter((name) => name.startsWith('..'))).toEqual([]);
    expect(names).toContain('bullmq');
  });

  test('name the files beside a module by the place of the module', () => {
    const urls = bundles().flatMap((text) => [...text.matchAll(/new URL\("(\.\.\/[^"]+)", import\.meta\.url\)/g)]);
    const missing = urls.filter(([, path = '']) => !existsSync(join(FOLDER, path)));
    expect(urls.length).toBeGreaterThan(10);
    expect(missing).toEqual([]);
  });
});

describe('the scripts of processes whose compiled code is kept', () => {
  /** Returns the texts without the line breaks that the bundler puts into long lines. */
  const texts = () =>
    ['src/server/main', 'workers/main'].map((entry) =>
      readFileSync(join(TEST_BUILD.directory, 'cached', `${entry}.script.js`), 'utf8').replaceAll('\\\n', ''),
    );

  test('are started instead of the first modules of API and worker processes', () => {
    for (const entry of ['src/server/main.ts', 'workers/main.ts'])
      expect(compiledForStart(entry)).toBe(
        compiled(entry).replace(TEST_BUILD.directory, join(TEST_BUILD.directory, 'cached')).replace(/js$/, 'cjs'),
      );
  });

  test('name the files beside a module by the place of the module', () => {
    const places = texts().flatMap((text) => [...text.matchAll(/__urlOf\("([^"]+)"\)/g)]);
    expect(places.length).toBeGreaterThan(10);
    expect(places.filter(([, place = '']) => !existsSync(join(TEST_BUILD.directory, place)))).toEqual([]);
    expect(texts().filter((text) => text.includes('import.meta.url'))).toEqual([]);
  });
});
