#!/usr/bin/env node
import { WORKER_ALLOCATOR } from './allocator.ts';
import { API_THREADS } from './api-threads.ts';

/* `npx deferred-uploads <command>`. Each command loads only its own modules. */

const USAGE = `usage: npx deferred-uploads <command>

  start   runs everything on this machine: Redis unless REDIS_URL is set, one API process, worker processes
  api     runs one API process
  worker  runs one worker process
  key     makes an API key or a ticket key for the access file: key <tenant> [--ticket] [--file <access file>]

Settings are environment variables, or lines of the file .env in this directory.
`;

/** The exit code for a wrong command line (EX_USAGE of sysexits). */
const EX_USAGE = 64;

const COMMANDS: Readonly<Record<string, () => Promise<unknown>>> = {
  start: () => import('./start.ts'),
  api: () => startWith(API_THREADS, () => import('../src/server/main.ts')),
  worker: () => startWith(WORKER_ALLOCATOR, () => import('../workers/main.ts')),
  key: () => import('./key.mjs'),
};

const [name = ''] = process.argv.splice(2, 1);
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command !== undefined) {
  await command();
} else if (name === '--help' || name === '-h' || name === 'help') {
  process.stdout.write(USAGE);
} else {
  process.stderr.write(USAGE);
  process.exitCode = EX_USAGE;
}

/**
 * Starts the program with further variables. Allocator and libuv read them only when a process starts, so this process
 * replaces itself. Two kinds of process cannot do that and go on without the variables: Node before 22.15, and a child
 * that another process has forked, which would lose its channel. Then a worker keeps more memory, and an API process
 * has fewer threads.
 */
async function startWith(variables: Readonly<Record<string, string>>, start: () => Promise<unknown>): Promise<void> {
  const execve: unknown = 'execve' in process ? process.execve : undefined;
  const isReady = Object.keys(variables).some((variable) => process.env[variable] !== undefined);
  if (isReady || process.send !== undefined || typeof execve !== 'function') return void (await start());
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2), name];
  execve.call(process, process.execPath, args, { ...process.env, ...variables });
}
