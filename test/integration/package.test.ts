import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { recipe } from '../e2e/recipes.ts';
import { eventually } from '../helpers/eventually.ts';
import { patienceMs } from '../helpers/patience.ts';
import { sharedRedis } from '../helpers/shared-redis.ts';

/*
 * The tarball of `npm pack`, unpacked as npm does it. It finds only the packages that it declares and the packages of
 * the application. These are links into the repository, because an installation takes half a minute.
 * `TEST_NODE=<path of another node>` runs it with another version.
 */

const run = promisify(execFile);
const FRAMEWORKS = ['http', 'express', 'koa', 'fastify'];
const APPLICATION = ['express', 'koa', 'fastify', '@types/node', '@types/koa', '@uppy/core', 'react', 'react-dom'];
/** Runs the application. Jest itself keeps its own version. */
const NODE = process.env['TEST_NODE'] ?? process.execPath;
const ENTRY = join('node_modules', 'deferred-uploads');

let directory: string;
let settings: Record<string, string>;
const started: ChildProcess[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'du-package-'));
  await run('npm', ['pack', '--silent', '--pack-destination', directory]);
  const home = join(directory, ENTRY);
  mkdirSync(home, { recursive: true });
  await run('tar', [
    'xzf',
    join(directory, `deferred-uploads-${versionIn('package.json')}.tgz`),
    '-C',
    home,
    '--strip=1',
  ]);
  for (const name of new Set([...dependenciesIn(join(home, 'package.json')), ...APPLICATION])) link(name);
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  settings = { REDIS_URL: await sharedRedis(), PORT: '0', LOG_LEVEL: 'info', SHUTDOWN_GRACE_MS: '0' };
}, patienceMs(120_000));

afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function dependenciesIn(path: string): string[] {
  return Object.keys((JSON.parse(readFileSync(path, 'utf8')) as { dependencies: object }).dependencies);
}

function versionIn(path: string): string {
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function link(name: string): void {
  const path = join(directory, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(resolve('node_modules', name), path);
}

/** Returns the settings of an installation of its own in the shared Redis. */
function ownSettings(): Record<string, string> {
  const name = `package-${randomUUID()}`;
  return { ...settings, QUEUE_PREFIX: name, STORAGE: `file:${join(directory, name)}` };
}

/** Starts a file in the folder of the application, with no other environment than the settings. */
function start(args: readonly string[], env: Record<string, string> = ownSettings()) {
  const child = spawn(NODE, args, { cwd: directory, env: { PATH: process.env['PATH'] ?? '', ...env } });
  started.push(child);
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    ended,
    output: () => text,
    async printed(pattern: RegExp): Promise<string> {
      await eventually(`${args.join(' ')} to print ${pattern}`, () => pattern.test(text) || child.exitCode !== null);
      const found = pattern.exec(text);
      if (found === null) throw new Error(`${args.join(' ')} ended without ${pattern}:\n${text}`);
      return found[1] ?? '';
    },
    async end(): Promise<number | null> {
      child.kill('SIGTERM');
      return await ended;
    },
  };
}

type Started = ReturnType<typeof start>;

function jsonLines(text: string): Record<string, string>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
}

function command(...args: readonly string[]): string[] {
  const { bin } = JSON.parse(readFileSync(join(directory, ENTRY, 'package.json'), 'utf8')) as { bin: object };
  return [join(ENTRY, (bin as Record<string, string>)['deferred-uploads'] ?? ''), ...args];
}

function copy(name: string, as = name): string {
  copyFileSync(join('test/fixtures/package', name), join(directory, as));
  return as;
}

describe('the package', () => {
  test('contains no tests, no sources and no build tools', async () => {
    const { stdout } = await run('find', [join(directory, ENTRY), '-type', 'f', '-printf', '%P\n']);
    const files = stdout.trim().split('\n');
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'dist/src/record/scripts/open.lua']));
    expect(files.filter((path) => /^(src|workers|scripts|test|docs)\/|(?<!\.d)\.ts$|setup\/build/.test(path))).toEqual(
      [],
    );
  });

  describe('in applications with a worker', () => {
    const applications: Started[] = [];
    let origins: string[];
    let lines: Record<string, string>[];

    beforeAll(async () => {
      for (const name of FRAMEWORKS) {
        writeFileSync(join(directory, `${name}.mjs`), recipe(`${name}.mjs`, 'docs/embed.md'));
        applications.push(start([`${name}.mjs`]));
      }
      const ports = await Promise.all(applications.map((application) => application.printed(/^port (\d+)$/m)));
      origins = ports.map((port) => `http://127.0.0.1:${port}`);
      const client = start([copy('client.mjs'), ...origins.map((origin) => `${origin}/media`)]);
      if ((await client.ended) !== 0) throw new Error(client.output());
      lines = jsonLines(client.output());
    });

    test.each(FRAMEWORKS.map((name, index) => [name, index] as const))(
      'serves its clients, and the process ends after close (%s)',
      async (_name, index) => {
        const origin = origins[index] ?? '';
        expect(await (await fetch(origin)).text()).toBe('My application');
        const { self, url, rows } = lines[index] ?? {};
        expect([self, url]).toEqual([
          expect.stringMatching(/^\/media\/uploads\//),
          expect.stringMatching(/^\/media\/variants\//),
        ]);
        expect(rows).toBe('{"name":"Ada","age":36}\n');
        // The body is larger than a body parser would accept.
        const large = await fetch(`${origin}/media/uploads/${randomUUID()}`, {
          method: 'PUT',
          headers: { 'Content-Type': 'application/json' },
          body: 'a,b\n'.repeat(500_000),
        });
        expect(large.status).toBe(202);
        if (index > 0) expect(await applications[index]?.end()).toBe(0);
      },
    );

    test('serves FilePond, React and Uppy', async () => {
      const script = start([copy('integrations.mjs'), `${origins[0]}/media`]);
      expect([await script.ended, script.output()]).toEqual([0, expect.stringMatching(/^\{.*\}\n$/)]);
      expect(jsonLines(script.output())).toEqual([
        { filepond: expect.stringMatching(/^[\da-f-]{36}$/), uppy: 1, react: '<p>0 uploads</p>' },
      ]);
      expect(await applications[0]?.end()).toBe(0);
    });
  });

  test('runs a processor of the application', async () => {
    const application = start([copy('own-processor.mjs')], { ...ownSettings(), LOG_LEVEL: 'silent' });
    expect(await application.ended).toBe(0);
    expect(JSON.parse(application.output())).toEqual({ state: 'completed', kind: 'note', copy: 'copied' });
  });

  test('provides held responses that need no Redis', async () => {
    const script = start([copy('deferred.mjs')], {});
    expect([await script.ended, script.output()]).toEqual([0, 'hello\n']);
  });

  test('provides held results of BullMQ jobs', async () => {
    writeFileSync(join(directory, 'jobs.mjs'), recipe('jobs.mjs', 'docs/jobs.md'));
    const application = start(['jobs.mjs']);
    const origin = `http://127.0.0.1:${await application.printed(/^port (\d+)$/m)}`;
    const response = await fetch(`${origin}/jobs/mail/${randomUUID()}/result`);
    expect([response.status, await response.json()]).toEqual([404, expect.objectContaining({ code: 'unknown_job' })]);
    expect(await application.end()).toBe(0);
  });

  test('has types that are complete and fit its modules', async () => {
    copy('types.txt', 'types.ts');
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const args = [resolve('node_modules/typescript/bin/tsc'), '--ignoreConfig', ...options, 'types.ts'];
    const { stdout } = await run(process.execPath, args, { cwd: directory }).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  });
});

describe('the commands of the package', () => {
  test('run an API process and a worker process, which load the modules in PROCESSORS', async () => {
    for (const name of ['subtitles.mjs', 'read-subtitles.mjs'])
      copyFileSync(join('docs/examples/processors', name), join(directory, name));
    const env = { ...ownSettings(), PROCESSORS: './subtitles.mjs' };
    const api = start(command('api'), env);
    const worker = start(command('worker'), env);
    const url = await api.printed(/"url":"([^"]+)".*"msg":"listening"/);
    await worker.printed(/"msg":"(ready)"/);
    const [table, cues] = await Promise.all(
      ['a,b\n1,2\n', 'WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n'].map(async (body) => {
        const sent = await fetch(`${url}/uploads/${randomUUID()}?timeout=50000`, { method: 'PUT', body });
        return await sent.json();
      }),
    );
    expect(table).toMatchObject({ state: 'completed', result: { kind: 'table' } });
    expect(cues).toMatchObject({ state: 'completed', result: { kind: 'subtitles', cues: 1 } });
    expect(await Promise.all([api.end(), worker.end()])).toEqual([0, 0]);
  });

  test('run everything with start', async () => {
    const all = start(command('start'));
    const url = await all.printed(/"msg":"started","url":"([^"]+)"/);
    const countWorkers = async () => ((await (await fetch(`${url}/readyz`)).json()) as { workers: number }).workers;
    expect(await countWorkers()).toBe(1);
    // The first upload starts the other workers.
    await fetch(`${url}/uploads/${randomUUID()}?timeout=50000`, { method: 'PUT', body: 'a,b\n1,2\n' });
    await eventually('a worker for each core', async () => (await countWorkers()) === availableParallelism());
    expect(await all.end()).toBe(0);
  });

  test('make a key', async () => {
    const key = start(command('key', 'acme'), {});
    expect([await key.ended, key.output()]).toEqual([0, expect.stringMatching(/du_acme_[\w-]{43}/)]);
  });

  test.each([
    [['--help'], 0],
    [[], 64],
    [['constructor'], 64],
  ])('print their usage (%j)', async (args, code) => {
    const asked = start(command(...args), {});
    expect([await asked.ended, asked.output()]).toEqual([code, expect.stringMatching(/^usage: npx deferred-uploads/)]);
  });
});
