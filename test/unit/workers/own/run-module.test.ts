import '../../../helpers/one-realm.ts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadOwnProcessors } from '../../../../src/kinds/own/load-processors.ts';
import { ProcessDied } from '../../../../workers/isolation/process-died.ts';
import { ownEntries } from '../../../../workers/own/own-entries.ts';
import type { AnyResult } from '../../../../workers/processor.ts';
import { TIMED_OUT } from '../../../../workers/stop-reasons.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { compiled } from '../../../helpers/compiled.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { isAlive, isZombie } from '../../../helpers/is-alive.ts';
import { fakeContext, type FakeContext } from '../../../helpers/process-picture.ts';

const DEFINITION = pathToFileURL(compiled('src/kinds/own/definition.ts')).href;
const ENTRY = pathToFileURL(compiled('workers/own/isolated-main.ts'));

let folder: string;
let controller: AbortController;
let context: FakeContext;
let reports: unknown[];
let printed: string[];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'du-own-')));
  controller = new AbortController();
  await writeFile(join(folder, 'original'), 'the bytes');
  context = fakeContext(join(folder, 'original'), controller.signal);
  reports = [];
  printed = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Runs a module whose function has this body. The code is in a second module, as in practice. */
async function run(body: string, attemptTimeoutMs?: number): Promise<AnyResult> {
  return await runFile('code.mjs', `export default async (context) => { ${body} };`, attemptTimeoutMs);
}

async function runFile(name: string, source: string, attemptTimeoutMs = 60_000): Promise<AnyResult> {
  await writeFile(join(folder, name), source);
  await writeFile(
    join(folder, 'kind.mjs'),
    `import { defineKind, defineProcessor } from '${DEFINITION}';
     const kind = defineKind({ name: 'note', types: ['text/plain'] });
     export default defineProcessor({ kind, load: () => import('./${name}'), maxOutputBytes: 20_000_000 });`,
  );
  const processors = await loadOwnProcessors(['./kind.mjs'], { directory: folder });
  const [entry] = await ownEntries(processors, { attemptTimeoutMs, nodeOptions: [], isolatedEntry: ENTRY });
  if (entry === undefined) throw new Error('no entry');
  const hooks = { report: (report: unknown) => reports.push(report), printed: (text: string) => printed.push(text) };
  return await entry.run(context, hooks);
}

async function failureOf(body: string, attemptTimeoutMs?: number): Promise<Error> {
  const error: unknown = await run(body, attemptTimeoutMs).catch((thrown: unknown) => thrown);
  return error as Error;
}

describe('a module that processes a file', () => {
  test('runs in a process of its own, with the file, its options and a temporary folder', async () => {
    const result = await run(`
      const { readFile, readdir } = await import('node:fs/promises');
      console.log('hello');
      context.report(0.5, 'read');
      const file = await context.publish({ name: 'copy.txt', type: 'text/plain' }, await readFile(context.inputPath));
      async function* chunks() { yield new TextEncoder().encode('a'); yield new TextEncoder().encode('b'); }
      void context.publish({ name: 'ab.txt', type: 'text/plain' }, chunks());
      const folder = context.temporaryFolder;
      const files = await readdir(folder);
      return { kind: 'other', file, options: context.options, pid: process.pid, folder, files };`);
    expect(result).toEqual({
      kind: 'note',
      file: { name: 'copy.txt', size: 9, url: '/variants/public/copy.txt' },
      options: {},
      pid: expect.any(Number),
      folder: expect.any(String),
      files: [],
    });
    const { pid, folder: temporary } = result as AnyResult & { pid: number; folder: string };
    expect(pid).not.toBe(process.pid);
    expect(existsSync(temporary)).toBe(false);
    expect([...context.files].map(([name, bytes]) => [name, bytes.toString()])).toEqual([
      ['copy.txt', 'the bytes'],
      ['ab.txt', 'ab'],
    ]);
    expect(reports).toEqual([
      { stage: 'process', fraction: 0 },
      { stage: 'read', fraction: 0.5 },
    ]);
    expect(printed.join('')).toContain('hello');
  });

  test('has no secrets of the service that it could print', async () => {
    process.env['REDIS_PASSWORD'] = 'a-secret-of-the-service';
    try {
      await run('console.log(JSON.stringify(process.env)); return {};');
    } finally {
      delete process.env['REDIS_PASSWORD'];
    }
    expect(printed.join('')).toContain('"PATH"');
    expect(printed.join('')).not.toContain('a-secret-of-the-service');
  });

  test('may be CommonJS that a compiler has made from a default export', async () => {
    const source = "Object.defineProperty(exports, '__esModule', { value: true }); exports.default =";
    const result = await runFile('code.cjs', `${source} async () => ({ from: 'a compiler' });`);
    expect(result).toEqual({ kind: 'note', from: 'a compiler' });
  });

  test('rejects a file with a detail for its sender', async () => {
    const error = await failureOf(`throw context.damaged('The note is empty.');`);
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({ code: 'file_damaged', detail: 'The note is empty.' });
  });

  test.each([
    ['nothing', 'return;', 'ended without a result'],
    ['a list', 'return [1];', 'ended without a result'],
    ['a value that JSON cannot contain', 'return { size: 1n };', 'BigInt'],
    ['a circle', 'const a = {}; a.a = a; return a;', 'circular'],
    ['too much', "return { text: 'x'.repeat(300_000) };", 'more than 262144 bytes'],
    ['a value that is nested too deeply', 'let a = {}; for (let i = 0; i < 99; i += 1) a = { a }; return a;', 'nested'],
  ])('causes a fault of the service if it resolves with %s', async (_what, body, detail) => {
    const error = await failureOf(body);
    expect(error).not.toBeInstanceOf(ProcessDied);
    expect(String(error.cause)).toContain(detail);
  });

  test.each([
    ['undefined', 'throw undefined;'],
    ['a text', "throw 'no';"],
    ['an object without a prototype', 'throw Object.create(null);'],
    ['an error whose text throws', "throw Object.defineProperty(new Error('a'), 'stack', { get() { throw 1; } });"],
    ['a proxy that throws', 'throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 1; } });'],
    ['a circular object', 'const a = {}; a.a = a; throw a;'],
  ])('causes a fault of the service if it throws %s', async (_what, body) => {
    const error = await failureOf(body);
    expect(error.message).toBe('the isolated process reported an error');
  });

  test('causes a fault of the service if its code cannot be loaded', async () => {
    expect(String((await failureOf('}; throw new Error("no licence"); {')).cause)).toContain('no licence');
  });

  test.each([
    ['blocks its event loop', 'for (;;);'],
    ['never ends', 'await new Promise(() => setInterval(() => undefined, 1000));'],
  ])('is stopped after the time limit if it %s', async (_what, body) => {
    expect(await failureOf(body, 400)).toBe(TIMED_OUT);
  });

  test.each([
    ['exits', 'process.exit(0);'],
    ['crashes', 'process.abort();'],
    ['throws outside of its promise', "setTimeout(() => { throw new Error('late'); }); await new Promise(() => 0);"],
  ])('counts as a death if it %s', async (_what, body) => {
    expect(await failureOf(body)).toBeInstanceOf(ProcessDied);
  });

  test.each([
    [
      'writes',
      "const { open } = await import('node:fs/promises'); const file = await open(`${folder}/a`, 'w');",
      'await file.write(bytes);',
    ],
    ['publishes', '', 'yield bytes;'],
  ])('is stopped at the limit if it %s 10 GB', async (_how, before, write) => {
    const error = await failureOf(`
      const folder = context.temporaryFolder;
      const bytes = new Uint8Array(1_000_000);
      async function* endless() { ${before} for (let left = 10_000; left > 0; left -= 1) { ${write} } }
      await context.publish({ name: 'a.bin', type: 'application/octet-stream' }, endless());
      return {};`);
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({ code: 'file_too_costly' });
  });

  test('leaves no process, although a child outlives it', async () => {
    const result = await run(`
      const { spawn } = await import('node:child_process');
      const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
      child.unref();
      return { pid: child.pid };`);
    const { pid } = result as AnyResult & { pid: number };
    await eventually('the child to be gone', () => !isAlive(pid) || isZombie(pid));
  });

  test('is killed if it ignores the signal', async () => {
    const running = failureOf(
      `(await import('node:fs')).writeFileSync('${join(folder, 'pid')}', String(process.pid)); for (;;);`,
    );
    const pid = await eventually('the process to begin', async () => {
      const path = join(folder, 'pid');
      return existsSync(path) ? Number(await readFile(path, 'utf8')) || undefined : undefined;
    });
    controller.abort(new Error('cancelled'));
    expect((await running).message).toBe('cancelled');
    await eventually('the process to be gone', () => !isAlive(pid));
    expect((await readdir(tmpdir())).filter((name) => name.includes(`-${process.pid}-`))).toEqual([]);
  });
});
