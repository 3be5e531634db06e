import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { TEST_BUILD } from '../../../scripts/setup/build.mjs';
import { bundledProcesses } from '../../../scripts/setup/process-bundles.mjs';
import { GROWING_FLAG } from '../../../workers/rare-collections.ts';
import { compiled, compiledForStart } from '../../helpers/compiled.ts';

/* The set-up of Jest has made the bundles. */
const FOLDER = join(TEST_BUILD.directory, 'bundled');

/** Runs a program in another process and returns its output. */
async function runNode(program: string): Promise<string> {
  return (await promisify(execFile)(process.execPath, ['--eval', program])).stdout;
}

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
  const entries = ['src/server/main', 'workers/main', 'test/helpers/faulty/worker'];
  const scriptOf = (entry: string) => join(TEST_BUILD.directory, 'cached', `${entry}.script.js`);
  /** Returns the texts without the line breaks that the bundler puts into long lines. */
  const texts = () => entries.map((entry) => readFileSync(scriptOf(entry), 'utf8').replaceAll('\\\n', ''));

  test('are started instead of the first modules of API and worker processes', () => {
    for (const entry of entries)
      expect(compiledForStart(`${entry}.ts`)).toBe(scriptOf(entry).replace(/script\.js$/, 'cjs'));
  });

  test('get code that a later process accepts, although a worker changes a flag of V8', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'du-cached-'));
    try {
      const loader = join(folder, 'test', 'helpers', 'load-cached.cjs');
      cpSync(resolve('test/helpers/load-cached.cjs'), loader);
      const script = join(folder, 'cached', 'one.script.js');
      mkdirSync(dirname(script));
      writeFileSync(script, `((require) => require('node:v8').setFlagsFromString('${GROWING_FLAG}'))`);
      await runNode(`require(${JSON.stringify(loader)}).run('one');`);
      const code = `${script}.${process.version}.code`;
      const isRejected = await runNode(`
        const [source, cachedData] = ${JSON.stringify([script, code])}.map((path) => fs.readFileSync(path));
        console.log(new vm.Script(String(source), { filename: 'one', cachedData }).cachedDataRejected);
      `);
      expect(isRejected).toBe('false\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('name the files beside a module by the place of the module', () => {
    const places = texts().flatMap((text) => [...text.matchAll(/__urlOf\("([^"]+)"\)/g)]);
    expect(places.length).toBeGreaterThan(10);
    expect(places.filter(([, place = '']) => !existsSync(join(TEST_BUILD.directory, place)))).toEqual([]);
    expect(texts().filter((text) => text.includes('import.meta.url'))).toEqual([]);
  });
});
