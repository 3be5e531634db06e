import { afterEach, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { compiled } from '../../helpers/compiled.ts';
import { eventually } from '../../helpers/eventually.ts';
import { patienceMs } from '../../helpers/patience.ts';

const WATCHDOG = pathToFileURL(compiled('src/telemetry/watchdog.ts')).href;

/** The limit of the watchdog. On a busy machine a thread may stand still for a second. */
const LIMIT_MS = Math.min(patienceMs(1000), 6000);
const BEAT_MS = 500;

/** The time for which the loop blocks. The watchdog ends the process much earlier. */
const BLOCK_MS = 120_000;

let child: ChildProcess | undefined;

afterEach(() => void child?.kill('SIGKILL'));

/** Runs a script that has `watchEventLoop`, and returns what it prints and how it ends. */
function run(script: string) {
  const source = `import { watchEventLoop } from '${WATCHDOG}';\n${script}`;
  const started = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] });
  child = started;
  let output = '';
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { ended: once(started, 'close'), output: () => output };
}

test('a process whose event loop is blocked beyond the limit is killed with one log line', async () => {
  const stuck = run(`watchEventLoop(1000); const end = Date.now() + ${BLOCK_MS}; while (Date.now() < end);`);
  expect(await stuck.ended).toEqual([null, 'SIGKILL']);
  expect(stuck.output()).toMatch(/^\{"level":"fatal".*"msg":"the event loop is stuck, this process ends itself"\}\n$/);
});

test('a process with a running event loop is not killed and can end by itself', async () => {
  const alive =
    run(`watchEventLoop(${LIMIT_MS}); console.log('begun'); process.once('SIGTERM', () => clearInterval(timer));
    const timer = setInterval(() => console.log('beat'), ${BEAT_MS});`);
  await eventually('more beats than the limit has', () => alive.output().split('beat').length > LIMIT_MS / BEAT_MS + 3);
  child?.kill('SIGTERM');
  expect(await alive.ended).toEqual([0, null]);
});
