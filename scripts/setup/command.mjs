import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Runs a command to its end. Never rejects: a command that cannot be started has code 127, a command that a signal
 * ended has code 1. `output` contains both streams. With `show` they go to the terminal instead.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, argv0?: string, show?: boolean }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, { cwd, env, argv0, show = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      argv0,
      env: inheritedEnvironment(env),
      stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (/** @type {Buffer} */ chunk) => (output += chunk.toString());
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Runs npm in a folder, with its output on the terminal. Uses the npm that has started this process, if there is one.
 *
 * @param {readonly string[]} args
 * @param {string} cwd
 */
export function runNpm(args, cwd) {
  const npm = process.env.npm_execpath;
  return npm?.endsWith('npm-cli.js')
    ? run(process.execPath, [npm, ...args], { cwd, show: true })
    : run('npm', args, { cwd, show: true });
}

/**
 * Returns the environment of this process with `additions`, for a child.
 *
 * @param {Readonly<Record<string, string>>} [additions]
 * @returns {NodeJS.ProcessEnv}
 */
export function inheritedEnvironment(additions) {
  return { ...process.env, ...additions };
}

/**
 * Returns the full path of the first of `names` that is an executable file on PATH.
 *
 * @param {...string} names
 * @returns {string | undefined}
 */
export function findOnPath(...names) {
  const directories = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable);
}

/**
 * @param {string} file
 * @returns {boolean}
 */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
