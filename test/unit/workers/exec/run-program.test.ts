import '../../../helpers/one-realm.ts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecManifest } from '../../../../src/kinds/own/exec-manifest.ts';
import { ConfigError } from '../../../../src/settings/config.ts';
import { execEntry } from '../../../../workers/exec/exec-entry.ts';
import { runProgram } from '../../../../workers/exec/run-program.ts';
import type { AnyResult } from '../../../../workers/processor.ts';
import { TIMED_OUT } from '../../../../workers/stop-reasons.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { compiled } from '../../../helpers/compiled.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { isAlive, isZombie } from '../../../helpers/is-alive.ts';
import { patienceMs } from '../../../helpers/patience.ts';
import { fakeContext, type FakeContext } from '../../../helpers/process-picture.ts';

let folder: string;
let controller: AbortController;
let context: FakeContext;
let reached: number[];
let printed: string[];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'du-exec-')));
  controller = new AbortController();
  await writeFile(join(folder, 'original'), 'the bytes');
  context = fakeContext(join(folder, 'original'), controller.signal);
  reached = [];
  printed = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const MIB = 1024 * 1024;

function manifestOf(script: string, limits: Partial<ExecManifest> = {}): ExecManifest {
  return {
    name: 'demo',
    types: ['application/pdf'],
    // The input is $1, the output folder $2.
    command: ['sh', '-c', script, 'demo.sh'],
    timeoutMs: patienceMs(20_000),
    maxMemoryBytes: 256 * MIB,
    maxOutputBytes: 4 * MIB,
    folder,
    ...limits,
  };
}

async function run(script: string, limits: Partial<ExecManifest> = {}): Promise<AnyResult> {
  return await runProgram(manifestOf(script, limits))(context, {
    report: ({ fraction }) => reached.push(fraction),
    printed: (output) => printed.push(output),
  });
}

async function failureOf(script: string, limits: Partial<ExecManifest> = {}): Promise<Error> {
  const error: unknown = await run(script, limits).then(
    (result) => new Error(`it ended with ${JSON.stringify(result)}`),
    (thrown: unknown) => thrown,
  );
  return error as Error;
}

/** Resolves with the process id that a script has written to a file of the test's folder. */
async function pidIn(name: string): Promise<number> {
  return await eventually(`${name} to be written`, () => {
    const path = join(folder, name);
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) || undefined : undefined;
  });
}

async function gone(pid: number): Promise<void> {
  await eventually('the process to be gone', () => !isAlive(pid) || isZombie(pid));
}

const RESULT = `echo '{"result":{"ok":true}}'`;

describe('a program that processes a file', () => {
  test('reports its progress, publishes its files and ends with its result', async () => {
    const result = await run(`
      echo '{"fraction":0.25}'
      cat "$1" > "$2/copy.txt"
      echo '{"file":"copy.txt","type":"text/plain"}'
      printf page > "$2/page-1.png"; echo '{"file":"page-1.png"}'
      printf '{"fraction":0.75}\\n{"result":{"pages":3,"kind":"other"}}'`);
    expect(result).toEqual({ kind: 'demo', pages: 3 });
    expect([...context.files].map(([name, bytes]) => [name, bytes.toString()])).toEqual([
      ['copy.txt', 'the bytes'],
      ['page-1.png', 'page'],
    ]);
    expect(reached).toEqual([0, 0.25, 0.75]);
  });

  test('runs in the folder of its manifest with a small environment, and its own folders are removed', async () => {
    process.env['REDIS_PASSWORD'] = 'secret';
    const result = await run(`
      env | cut -d= -f1 | sort | tr '\\n' ' ' > names
      printf x > "$HOME/note"
      echo "{\\"result\\":{\\"names\\":\\"$(cat names)\\",\\"home\\":\\"$HOME\\",\\"directory\\":\\"$(pwd)\\"}}"`);
    delete process.env['REDIS_PASSWORD'];
    const { names, home, directory } = result as AnyResult & { names: string; home: string; directory: string };
    expect(names.split(' ').filter((name) => !/^(_|PWD|OLDPWD|SHLVL)?$/.test(name))).toEqual([
      'DEFERRED_UPLOADS_RUN',
      'HOME',
      'LANG',
      'PATH',
      'TMPDIR',
    ]);
    expect(directory).toBe(folder);
    expect(existsSync(home)).toBe(false);
  });

  test('may print lines that are no messages, which only the log receives', async () => {
    const result = await run(`
      echo 'Loading…'; echo '[1,2]'; echo '{"other":1}'; echo '{"fraction":"half"}'; echo
      head -c 2000000 /dev/zero | tr '\\0' x; echo
      echo warning >&2
      ${RESULT}`);
    expect(result).toEqual({ kind: 'demo', ok: true });
    expect(printed.join('\n')).toContain('5 lines ignored: Loading…');
    expect(printed.join('\n')).toContain('warning');
  });

  test('ignores fractions that go back and bounds the others', async () => {
    await run(`echo '{"fraction":0.5}'; echo '{"fraction":0.2}'; echo '{"fraction":7}'; ${RESULT}`);
    expect(reached).toEqual([0, 0.5, 0.5, 1]);
  });

  test('rejects the file with a detail for its sender, and is then stopped', async () => {
    const error = await failureOf(`echo '{"error":{"detail":"Page 3 is\\u0007 broken."}}'; sleep 600`);
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({ code: 'file_damaged', detail: 'Page 3 is broken.' });
  });

  test.each([
    ['exits with 0 and no result', 'echo done', 'the program demo ended without a result'],
    ['exits with another code', `${RESULT}; exit 3`, 'the program demo ended with exit code 3'],
    ['dies by a signal', `${RESULT}; kill -SEGV $$`, 'the program demo ended with exit code 139'],
    ['does not exist', 'exec ./nothing', 'the program demo ended with exit code 127'],
    ['names a file outside of its folder', `echo '{"file":"../original"}'; ${RESULT}`, 'a forbidden name'],
    ['names a path', `mkdir "$2/a"; echo x > "$2/a/b.txt"; echo '{"file":"a/b.txt"}'; ${RESULT}`, 'a forbidden name'],
    ['names an absolute path', `echo '{"file":"/etc/passwd"}'; ${RESULT}`, 'a forbidden name'],
    ['names a file without an ending', `echo x > "$2/page"; echo '{"file":"page"}'; ${RESULT}`, 'a forbidden name'],
    ['names a missing file', `echo '{"file":"page.png"}'; ${RESULT}`, 'page.png cannot be published: it is missing'],
    [
      'names a symbolic link',
      `ln -s /etc/passwd "$2/page.txt"; echo '{"file":"page.txt"}'; ${RESULT}`,
      'it is a symbolic link',
    ],
    ['names a hard link', `ln "$1" "$2/page.txt"; echo '{"file":"page.txt"}'; ${RESULT}`, 'it is a hard link'],
    ['names a pipe', `mkfifo "$2/page.txt"; echo '{"file":"page.txt"}'; ${RESULT}`, 'it is no regular file'],
    ['names a folder', `mkdir "$2/page.txt"; echo '{"file":"page.txt"}'; ${RESULT}`, 'it is no regular file'],
    [
      'names a file twice',
      `echo x > "$2/a.txt"; echo '{"file":"a.txt"}'; echo '{"file":"a.txt"}'; ${RESULT}`,
      'named the output file a.txt twice',
    ],
    ['names an endless number of files', `yes '{"file":"a.txt"}'`, 'twice'],
    ['prints an endless number of other lines', 'yes', 'printed 100000 lines that are no messages'],
    ['has a huge result', `printf '{"result":{"a":"%300000s"}}\\n' x`, 'more than 262144 bytes of JSON'],
  ])('causes a fault of the service if it %s', async (_what, script, message) => {
    const error = await failureOf(script);
    expect(error).not.toBeInstanceOf(UnprocessableError);
    expect(error.message).toContain(message);
  });

  test('is stopped after its time limit, with all processes of its group', async () => {
    const script = `sh -c 'trap "" TERM; echo $$ > child; while :; do sleep 1; done' & wait`;
    expect(await failureOf(script, { timeoutMs: 300 })).toBe(TIMED_OUT);
    if (existsSync(join(folder, 'child'))) await gone(await pidIn('child'));
  });

  test('receives SIGTERM if the upload is cancelled, and may clean up', async () => {
    const running = failureOf(
      `trap 'echo cleaned > "${folder}/trace"; exit 0' TERM; echo $$ > pid; while :; do sleep 0.05; done`,
    );
    const pid = await pidIn('pid');
    controller.abort(new Error('cancelled'));
    expect((await running).message).toBe('cancelled');
    await gone(pid);
    expect(readFileSync(join(folder, 'trace'), 'utf8')).toBe('cleaned\n');
  });

  test('is killed if it ignores SIGTERM', async () => {
    const running = failureOf(`trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done`);
    const pid = await pidIn('pid');
    controller.abort(new Error('cancelled'));
    expect((await running).message).toBe('cancelled');
    await gone(pid);
  });

  test('leaves no process, although a child has left its group and holds its output', async () => {
    const result = await run(`
      sh -c 'echo $$ > one; exec sleep 600' &
      setsid sh -c 'echo $$ > two; exec sleep 600' &
      while [ ! -s one ] || [ ! -s two ]; do sleep 0.02; done
      ${RESULT}`);
    expect(result).toMatchObject({ ok: true });
    for (const name of ['one', 'two']) await gone(await pidIn(name));
  });

  test('is stopped at the limit if it writes a file of 10 GB', async () => {
    const error = await failureOf(`head -c 10000000000 /dev/zero > "$2/big.bin"; ls -l "$2" > sizes; ${RESULT}`);
    expect(error).toMatchObject({
      code: 'file_too_costly',
      detail: expect.stringContaining('4194304 bytes of output'),
    });
    if (existsSync(join(folder, 'sizes'))) expect(readFileSync(join(folder, 'sizes'), 'utf8')).toContain(' 4194304 ');
  });

  test.each([
    ['many files', 'i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > "$2/$i.bin"; done'],
    ['its temporary folder', 'i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero > "$TMPDIR/$i"; done'],
    ['standard output', `yes "$(printf '%1000d' 0)"`],
  ])('is stopped if it writes endlessly to %s', async (_where, script) => {
    expect(await failureOf(script)).toMatchObject({ code: 'file_too_costly' });
  });

  test('cannot take more memory than its limit in one process', async () => {
    const error = await failureOf(`head -c 400000000 /dev/zero | tail -c 300000000 | wc -c; exit 9`, {
      maxMemoryBytes: 32 * MIB,
    });
    expect(error.message).toContain('exit code 9');
    expect(printed.join('\n')).toMatch(/memory|allocat|exhausted/i);
  });

  (process.platform === 'linux' ? test : test.skip)(
    'is stopped if its processes together take too much memory',
    async () => {
      // The last command keeps the shell, with its variable, from becoming `sleep`.
      const script = `for i in 1 2 3 4; do (x=$(head -c 8000000 /dev/zero | tr '\\0' x); sleep 600; :) & done; wait`;
      expect(await failureOf(script, { maxMemoryBytes: 24 * MIB })).toMatchObject({
        code: 'file_too_costly',
        detail: expect.stringContaining('of memory'),
      });
    },
  );

  test('is killed when its worker is killed', async () => {
    const worker = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { Program } from ${JSON.stringify(compiled('workers/exec/program.ts'))};
         new Program({ command: ['sh', '-c', 'echo $$ > pid; sleep 600 & wait'], directory: ${JSON.stringify(folder)},
           home: ${JSON.stringify(folder)}, maxMemoryBytes: 1e9, maxFileBytes: 1e9 }, () => {}, () => {});`,
      ],
      { stdio: 'ignore' },
    );
    const pid = await pidIn('pid');
    worker.kill('SIGKILL');
    await gone(pid);
  });

  test('leaves no folder', async () => {
    const ownFolders = async () => (await readdir(tmpdir())).filter((name) => name.includes(`-${process.pid}-`));
    await run(RESULT);
    expect(await ownFolders()).toEqual([]);
  });
});

describe('the start of a worker', () => {
  test.each([
    ['a path', ['./nothing.sh']],
    ['a name', ['no-such-program-here']],
  ])('rejects a program that does not exist, given by %s', async (_what, command) => {
    const error: unknown = await execEntry('./a.json', manifestOf('', { command })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toBe(
      `PROCESSORS: ./a.json: the program ${command[0]} does not exist or is not executable`,
    );
  });
});
