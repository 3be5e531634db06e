import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/*
 * Proves that the tests pass on a slow machine: runs `npm test` several times in a row beside loops that take the
 * processor away from it, and stops at the first run that fails.
 *
 *   npm run test:slow -- [--runs 3] [--loops 8] [--one-core] [-- <arguments of jest>]
 */

const BUSY_LOOP = 'for (;;);';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    loops: { type: 'string', default: '8' },
    'one-core': { type: 'boolean', default: false },
  },
});

/** @type {import('node:child_process').ChildProcess[]} */
const loops = [];
let stopRun = (/** @type {NodeJS.Signals} */ _signal) => {};

process.on('exit', stopLoops);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    stopRun(signal);
    process.exit(1);
  });
}

try {
  process.exitCode = await prove(wholeNumber('runs', 1), wholeNumber('loops', 0));
} finally {
  stopLoops();
}

/**
 * @param {number} runs
 * @param {number} loopCount
 * @returns {Promise<number>} the exit code
 */
async function prove(runs, loopCount) {
  const cores = values['one-core'] ? 1 : availableParallelism();
  console.log(`${runs} runs of npm test beside ${loopCount} busy loops on ${cores} cores`);
  for (let count = 0; count < loopCount; count += 1) loops.push(startLoop());
  for (let number = 1; number <= runs; number += 1) {
    const startMs = performance.now();
    const code = await runTests();
    const seconds = Math.round((performance.now() - startMs) / 1000);
    console.log(`run ${number} of ${runs}: ${code === 0 ? 'green' : `red, exit code ${code}`} after ${seconds} s`);
    if (code !== 0) return 1;
  }
  return 0;
}

/**
 * A loop that ends with this process, even if that is killed: the loop's process watches the pipe to it from a thread.
 */
function startLoop() {
  return start(process.execPath, ['-e', loopSource()], { stdio: ['pipe', 'ignore', 'inherit'] });
}

/**
 * With `--one-core` on the first core of the machine; Linux only.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
function start(command, args, options) {
  return values['one-core'] ? spawn('taskset', ['-c', '0', command, ...args], options) : spawn(command, args, options);
}

function loopSource() {
  // The main thread reads the pipe, the worker takes the processor.
  const worker = `new (require('node:worker_threads').Worker)(${JSON.stringify(BUSY_LOOP)}, { eval: true })`;
  return `${worker}; process.stdin.resume().on('close', () => process.exit())`;
}

async function runTests() {
  // The run is a process group of its own, so that a signal reaches each process once.
  const run = start('npm', ['test', '--', ...positionals], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  stopRun = (signal) => process.kill(-(run.pid ?? 0), signal);
  const [code] = await once(run, 'exit');
  stopRun = () => {};
  return code ?? 1;
}

function stopLoops() {
  for (const loop of loops.splice(0)) loop.kill('SIGKILL');
}

/**
 * @param {'runs' | 'loops'} name
 * @param {number} least
 */
function wholeNumber(name, least) {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= least) return value;
  console.error(`--${name} must be a whole number of at least ${least}`);
  process.exit(2);
}
