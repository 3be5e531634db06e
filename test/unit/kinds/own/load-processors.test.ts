import '../../../helpers/one-realm.ts';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineProcessor } from '../../../../src/kinds/own/definition.ts';
import { loadOwnProcessors, type ProcessorSource } from '../../../../src/kinds/own/load-processors.ts';
import { ConfigError } from '../../../../src/settings/config.ts';
import { compiled } from '../../../helpers/compiled.ts';

let folder: string;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'du-own-')));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function put(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return `./${name}`;
}

/** Returns the source of a module whose default export has the stamp of `defineProcessor`. */
function moduleOf(kind: string, version = 1): string {
  return `export default { interfaceVersion: ${version}, kind: ${kind}, load: async () => import('./missing.mjs') };`;
}

async function messageOf(...sources: ProcessorSource[]): Promise<string> {
  const error: unknown = await loadOwnProcessors(sources, { directory: folder }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  const { message } = error as Error;
  expect(message).not.toContain('\n');
  return message;
}

/** Runs a script in a process of its own, in the folder. `{module}` is replaced by the address of the module. */
function runScript(module: string, script: string): [exitCode: number | null, errors: string] {
  const source = script.replace('{module}', pathToFileURL(compiled(module)).href);
  const options = { encoding: 'utf8', cwd: folder } as const;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', source], options);
  return [status, stderr];
}

const MANIFEST = { name: 'pdf', types: ['application/pdf'], command: ['./pdf.sh'] };

describe('loading processors', () => {
  test('loads modules, packages and manifests from the directory, but not the code of a module', async () => {
    await put('node_modules/@acme/sound/package.json', '{"name":"@acme/sound","exports":{"import":"./kind.mjs"}}');
    await put('node_modules/@acme/sound/kind.mjs', moduleOf("{ name: 'sound', types: ['audio/wav'] }"));
    const module = await put('film.mjs', moduleOf("{ name: 'film', types: ['video/mp4', 'video/webm'] }"));
    const manifest = await put('programs/pdf.json', JSON.stringify(MANIFEST));
    const loaded = await loadOwnProcessors([module, '@acme/sound', manifest], { directory: folder });
    expect(loaded.map(({ label, kind, code }) => [label, kind.name, kind.types, code.type])).toEqual([
      ['./film.mjs', 'film', ['video/mp4', 'video/webm'], 'module'],
      ['@acme/sound', 'sound', ['audio/wav'], 'module'],
      ['./programs/pdf.json', 'pdf', ['application/pdf'], 'exec'],
    ]);
    expect(loaded[2]?.code).toMatchObject({ manifest: { folder: join(folder, 'programs'), timeoutMs: 60_000 } });
  });

  test('accepts objects that defineProcessor has made', async () => {
    const made = defineProcessor({ kind: { name: 'text', types: ['text/plain'] }, load: async () => async () => ({}) });
    expect((await loadOwnProcessors([made], { directory: folder })).map(({ kind }) => kind.name)).toEqual(['text']);
  });

  test.each([
    ['throws on load', "throw new Error('no licence\\nsecond line');", 'no licence'],
    ['throws a value that is no error', 'throw 42;', 'it threw 42'],
    ['throws an object without a text', 'throw Object.create(null);', 'it failed without a message'],
    ['cannot be parsed', 'export default {', 'Unexpected'],
    ['has no default export', 'export const kind = 1;', 'the module has no default export'],
    ['exports something else', 'export default 5;', 'its default export was not made by defineProcessor'],
    [
      'has another version of the interface',
      moduleOf("{ name: 'a', types: ['a/b'] }", 2),
      'has version 2 of the interface of processors; this service supports version 1',
    ],
    ['has a bad name', moduleOf("{ name: 'A b', types: ['a/b'] }"), 'name must be 1 to 32'],
    ['has no types', moduleOf("{ name: 'a', types: [] }"), 'types must be a list of media types'],
    ['claims a type twice', moduleOf("{ name: 'a', types: ['a/b', 'a/b'] }"), 'a/b is claimed twice'],
    ['has a bad limit', moduleOf("{ name: 'a', types: ['a/b'] }, maxOutputBytes: 0"), 'maxOutputBytes must be a whole'],
    ['has a bad type', moduleOf("{ name: 'a', types: ['Text/Plain'] }"), 'types[0] must be a media type in lower case'],
    ['has bad options', moduleOf("{ name: 'a', types: ['a/b'], options: {} }"), 'options must be a Standard Schema'],
    [
      'claims a type of the service',
      moduleOf("{ name: 'a', types: ['image/heic'] }"),
      'image/heic is claimed by the kind picture of the service too',
    ],
    [
      'has the name of a queue',
      moduleOf("{ name: 'other', types: ['a/b'] }"),
      'the name other is taken by the service',
    ],
    [
      'has a name of the service',
      moduleOf("{ name: 'table', types: ['a/b'] }"),
      'the name table is taken by the service',
    ],
  ])('rejects a module that %s', async (what, source, detail) => {
    const path = await put(`${what.replaceAll(' ', '-')}.mjs`, source);
    const message = await messageOf(path);
    expect(message).toContain(detail);
    expect(message.startsWith(`PROCESSORS: ${path}: `)).toBe(true);
  });

  test('loads CommonJS, also as compilers make it from a default export', async () => {
    const definition = "{ interfaceVersion: 1, kind: { name: 'a', types: ['a/b'] }, load: async () => undefined }";
    const plain = await put('plain.cjs', `module.exports = ${definition};`);
    const compiledSource = `Object.defineProperty(exports, '__esModule', { value: true }); exports.default =`;
    const fromCompiler = await put('compiler.cjs', `${compiledSource} ${definition};`);
    for (const path of [plain, fromCompiler])
      expect((await loadOwnProcessors([path], { directory: folder })).map(({ kind }) => kind.name)).toEqual(['a']);
  });

  test('rejects a module that waits for ever at its top level', async () => {
    jest.useFakeTimers();
    try {
      const message = messageOf(await put('waits.mjs', 'await new Promise(() => undefined); export default 1;'));
      await jest.advanceTimersByTimeAsync(30_000);
      expect(await message).toBe('PROCESSORS: ./waits.mjs: the module has not loaded within 30 s');
    } finally {
      jest.useRealTimers();
    }
  });

  test('names a module that ends the process, and the exit code is 78', async () => {
    const path = await put('exits.mjs', 'process.exit(0);');
    const script = `await (await import('{module}')).loadOwnProcessors(['${path}']);`;
    const message = `deferred-uploads: PROCESSORS: ${path}: the process ended while the module was loaded\n`;
    expect(runScript('src/kinds/own/load-processors.ts', script)).toEqual([78, message]);
  });

  test.each(['createService', 'createWorker'])(
    'does not report an application that ends itself while %s loads a module',
    async (name) => {
      const path = await put(`${name}.mjs`, "process.emit('SIGTERM');");
      const script = `
        process.once('SIGTERM', () => process.exit());
        await (await import('{module}')).${name}({ processors: ['${path}'] });`;
      expect(runScript('workers/deferred-uploads.ts', script)).toEqual([0, '']);
    },
  );

  test('rejects two processors that claim the same type or name', async () => {
    const one = await put('one.mjs', moduleOf("{ name: 'one', types: ['a/b'] }"));
    const two = await put('two.mjs', moduleOf("{ name: 'two', types: ['a/b'] }"));
    expect(await messageOf(one, two)).toBe('PROCESSORS: ./two.mjs: a/b is claimed by ./one.mjs too');
    expect(await messageOf(one, one)).toBe('PROCESSORS: ./one.mjs: the name one is taken by ./one.mjs');
  });

  test('names a module and a package that do not exist', async () => {
    expect(await messageOf('./nothing.mjs')).toBe(`PROCESSORS: ./nothing.mjs: there is no file ${folder}/nothing.mjs`);
    expect(await messageOf('@acme/nothing')).toContain('there is no package @acme/nothing in');
    expect(await messageOf('@acme/sound/other')).toContain('does not export @acme/sound/other');
  });
});

describe('the manifest of a program', () => {
  test.each([
    ['missing', undefined, 'the manifest cannot be read'],
    ['no JSON', '{', 'the manifest is not JSON'],
    ['without a command', JSON.stringify({ ...MANIFEST, command: [] }), 'command must have at least the program'],
    ['with an unknown member', JSON.stringify({ ...MANIFEST, shell: true }), 'has the unknown member shell'],
    ['with a bad type', JSON.stringify({ ...MANIFEST, types: ['pdf'] }), 'types.0 must be a media type'],
    [
      'with a fraction of a millisecond',
      JSON.stringify({ ...MANIFEST, timeoutMs: 1000.5 }),
      'timeoutMs must be a whole number',
    ],
    ['with two mistakes', JSON.stringify({ ...MANIFEST, name: '', timeoutMs: 0 }), '; timeoutMs'],
  ])('is rejected if it is %s', async (what, content, detail) => {
    const path = `./${what.replaceAll(' ', '-')}.json`;
    if (content !== undefined) await put(path.slice(2), content);
    expect(await messageOf(path)).toContain(detail);
  });

  test('makes a kind that recognizes text, JSON and any bytes only if it lists such a type', async () => {
    const types = ['text/markdown', 'application/json', 'application/octet-stream'];
    const path = await put('any.json', JSON.stringify({ ...MANIFEST, types }));
    const [any, pdf] = await loadOwnProcessors(
      [path, await put('pdf.json', JSON.stringify({ ...MANIFEST, name: 'p' }))],
      { directory: folder },
    );
    const sniff = (kind: typeof any, text: string) =>
      kind?.kind.sniff?.({ head: Buffer.from(text, 'latin1'), isWhole: true, options: {} });
    expect(sniff(any, '# A title\n')).toBe('text/markdown');
    expect(sniff(any, ' {"a": [1]}')).toBe('application/json');
    expect(sniff(any, '{"a": [1')).toBe('text/markdown');
    expect(sniff(any, '\0\x01\x02')).toBe('application/octet-stream');
    expect(sniff(any, '<!doctype html><p>')).toBe('application/octet-stream');
    expect(sniff(pdf, '# A title\n')).toBeUndefined();
  });
});
