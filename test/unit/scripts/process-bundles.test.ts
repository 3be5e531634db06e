import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TEST_BUILD } from '../../../scripts/setup/build.mjs';
import { bundledProcesses } from '../../../scripts/setup/process-bundles.mjs';
import { compiled } from '../../helpers/compiled.ts';

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
