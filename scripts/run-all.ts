import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WORKER_ALLOCATOR } from './allocator.ts';
import { API_THREADS } from './api-threads.ts';
import { childEnvironment, ConfigError, loadConfig, type Config } from '../src/settings/config.ts';
import { warnOfRoot } from '../src/telemetry/root-warning.ts';
import type { ChildSpec } from './child-life.ts';
import { embeddedRedis } from './embedded-redis.ts';
import { endLeftovers } from './leftovers.ts';
import { tryLock } from './setup/lock.mjs';
import { ensureRedisServer } from './setup/redis-binary.mjs';
import { deniedPath, SetupError } from './setup/setup-error.mjs';
import { stopOnSignals } from './stop-on-signals.ts';
import { Supervisor, type SupervisorLog } from './supervisor.ts';

/**
 * Everything that `npm start` writes is in `./data`: the data of Redis and, in `run`, the lock and the pids of this
 * run. It runs everything on this machine: a private Redis unless a setting names one, one API process, and WORKERS
 * worker processes.
 */
const DATA_DIRECTORY = 'data';
const RUN_DIRECTORY = join(DATA_DIRECTORY, 'run');

/** The processes may take SHUTDOWN_GRACE_MS and this margin. Then they are killed. */
const KILL_MARGIN_MS = 5000;

const log: SupervisorLog = {
  warn: (fields, msg) => printLine('warn', { msg, ...fields }),
  error: (fields, msg) => printLine('error', { msg, ...fields }),
};

/**
 * Runs everything until it is stopped, and returns the exit code. An error that the user can fix is printed as one
 * line.
 */
export async function runAll(): Promise<number> {
  try {
    return await start(loadConfig());
  } catch (error) {
    const { message, exitCode } = asSetupError(error);
    console.error(message);
    return exitCode;
  }
}

function asSetupError(error: unknown): SetupError {
  if (error instanceof SetupError) return error;
  if (error instanceof ConfigError) return new SetupError(error.message, ConfigError.exitCode);
  const denied = deniedPath(error);
  if (denied === undefined) throw error;
  const line = `${denied} cannot be written by this user; run npm start as its owner or in another directory`;
  return new SetupError(line, ConfigError.exitCode);
}

async function start(config: Config): Promise<number> {
  if (config.processors.length > 0) {
    // This module is loaded only if it is needed, because this process stays.
    const { checkProcessors } = await import('./check-processors.ts');
    await checkProcessors(config.processors);
  }
  if (config.redis !== undefined) return supervise(config, {}, []);
  const lock = tryLock(join(RUN_DIRECTORY, 'lock'));
  if ('holderPid' in lock) throw new SetupError(`already running in this directory, as process ${lock.holderPid}`);
  try {
    return await startWithRedis(config);
  } finally {
    lock.release();
  }
}

async function startWithRedis(config: Config): Promise<number> {
  const binary = await ensureRedisServer((line) => console.log(`setup: ${line}`));
  const ended = await endLeftovers(RUN_DIRECTORY, graceMs(config));
  if (ended > 0) log.warn({ processes: ended }, 'processes of an earlier run ended');
  const redis = embeddedRedis(binary, join(DATA_DIRECTORY, 'redis'), graceMs(config));
  try {
    return await supervise(config, { REDIS_URL: redis.url }, [redis.spec]);
  } finally {
    redis.close();
  }
}

async function supervise(
  config: Config,
  env: Record<string, string>,
  foundation: readonly ChildSpec[],
): Promise<number> {
  warnOfRoot(log);
  let url = '';
  const supervisor = new Supervisor({
    foundation,
    ...nodeChildren(config, env, () => supervisor.startReserve()),
    log,
    ...(foundation.length === 0 ? {} : { pidDirectory: RUN_DIRECTORY }),
    onReady: (_name, message) => (url = urlIn(message) ?? url),
  });
  const releaseSignals = stopOnSignals(supervisor, config.access === 'keys' && !process.stdin.isTTY);
  const killAll = (): void => supervisor.kill();
  process.on('exit', killAll);
  if (await supervisor.start()) announce(url);
  const exitCode = await supervisor.finished;
  process.off('exit', killAll);
  releaseSignals();
  return exitCode;
}

/**
 * Returns the API and worker processes. The workers of the reserve start when another worker has its first upload,
 * which calls `onBusy`.
 */
function nodeChildren(
  config: Config,
  env: Record<string, string>,
  onBusy: () => void,
): { children: ChildSpec[]; reserve: ChildSpec[] } {
  const common = { command: process.execPath, graceMs: graceMs(config) };
  const workers = Array.from({ length: config.workers }, (_, index) => ({
    ...common,
    env: { ...childEnvironment('worker'), ...env, ...WORKER_ALLOCATOR },
    name: `worker-${index + 1}`,
    role: 'worker',
    args: entryArgs('../workers/main.js'),
    ready: { type: 'ready' },
    onMessage: (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'busy') onBusy();
    },
  }));
  const api = {
    ...common,
    env: { ...API_THREADS, ...childEnvironment('api'), ...env },
    graceMs: common.graceMs + config.shutdownDelayMs,
    name: 'api',
    role: 'api',
    args: entryArgs('../src/server/main.js'),
    ready: { type: 'listening' },
  };
  return { children: [api, ...workers.slice(0, config.workersAtStart)], reserve: workers.slice(config.workersAtStart) };
}

function graceMs(config: Config): number {
  return config.shutdownGraceMs + KILL_MARGIN_MS;
}

function entryArgs(entry: string): string[] {
  return [...process.execArgv, fileURLToPath(new URL(entry, import.meta.url))];
}

function urlIn(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || !('url' in message)) return undefined;
  return typeof message.url === 'string' ? message.url : undefined;
}

function announce(url: string): void {
  if (process.stdout.isTTY) console.log(`\nOpen ${url} in a browser. Ctrl-C stops everything.\n`);
  else printLine('info', { msg: 'started', url });
}

function printLine(level: string, fields: object): void {
  console.log(
    JSON.stringify({ level, time: new Date().toISOString(), role: 'supervisor', pid: process.pid, ...fields }),
  );
}
