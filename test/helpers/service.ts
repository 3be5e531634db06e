import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { compiledForStart } from './compiled.ts';
import { LONG_HOLD_MS } from './long-hold.ts';
import { patienceMs } from './patience.ts';
import { startRedisServer, type RedisServer } from './redis-server.ts';

/** The real API process. */
export const API_ENTRY = resolve('src/server/main.ts');
/** Longer than every grace period in the tests. */
const END_WITHIN_MS = patienceMs(25_000);
/** Shorter than the limit of a test, so that the output of a process that does not start is reported. */
const START_WITHIN_MS = patienceMs(40_000);
/** The last output of a process comes at most this long after its exit. */
const OUTPUT_WITHIN_MS = patienceMs(500);

/** The real worker process. */
export const WORKER_ENTRY = resolve('workers/main.ts');

export interface ServiceOptions {
  /** Default 1. */
  apis?: number;
  /** Default 1. */
  workers?: number;
  /** Replaces the real API process. */
  apiEntry?: string;
  /** Replaces the real worker process. */
  workerEntry?: string;
  /** Restarts a worker when it dies, as the supervisor does. */
  keepsWorkers?: boolean;
  /** Settings besides the usual ones of tests. */
  env?: Record<string, string>;
  /** A Redis of the caller. It is not stopped with the service. */
  redis?: RedisServer;
}

/** One process of the service. */
export interface ServiceProcess {
  readonly child: ChildProcess;
  /** Empty for a worker. */
  readonly url: string;
  /** JSON lines written so far. */
  lines(): Record<string, unknown>[];
  /** Everything written so far to standard output and standard error. */
  output(): string;
  /** Sends the signal, SIGKILL after a while, and resolves with the exit code, which is null if a signal ended it. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A real service: redis-server, API and worker processes, and files in a new directory. */
export interface Service {
  readonly url: string;
  readonly urls: string[];
  readonly apis: ServiceProcess[];
  readonly workers: ServiceProcess[];
  readonly redis: RedisServer;
  /** The directory of the uploads. */
  readonly directory: string;
  /** Starts an API process with further settings. */
  addApi(env?: Record<string, string>): Promise<ServiceProcess>;
  addWorker(): Promise<ServiceProcess>;
  stop(): Promise<void>;
}

/** Starts everything and resolves when it accepts requests and jobs. */
export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const redis = options.redis ?? (await startRedisServer());
  const directory = await mkdtemp(join(tmpdir(), 'du-files-'));
  const env = {
    HOST: '127.0.0.1',
    PORT: '0',
    REDIS_URL: redis.url,
    STORAGE: `file:${directory}`,
    // A wait for an outcome must not end early on a slow machine.
    DEFERRED_MAX_TIMEOUT_MS: '300000',
    DEFERRED_TIMEOUT_MS: String(LONG_HOLD_MS),
    TEST_PATIENCE: process.env['TEST_PATIENCE'] ?? '1',
    ...options.env,
  };
  const apis: ServiceProcess[] = [];
  const workers: ServiceProcess[] = [];
  const addApi = async (more: Record<string, string> = {}) =>
    keep(apis, await startProcess(options.apiEntry ?? API_ENTRY, { ...env, ...more }));
  let isStopping = false;
  const starting = new Set<Promise<unknown>>();
  const addWorker = async (): Promise<ServiceProcess> => {
    const worker = keep(workers, await startProcess(options.workerEntry ?? WORKER_ENTRY, env));
    worker.child.once('exit', () => {
      if (options.keepsWorkers !== true || isStopping) return;
      const started = addWorker().finally(() => starting.delete(started));
      starting.add(started);
    });
    return worker;
  };
  const stop = async () => {
    isStopping = true;
    await Promise.allSettled(starting);
    await Promise.all([...apis, ...workers].map((process) => process.end('SIGTERM')));
    if (options.redis === undefined) await redis.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await Promise.all([
      ...Array.from({ length: options.apis ?? 1 }, () => addApi()),
      ...Array.from({ length: options.workers ?? 1 }, addWorker),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  const urls = apis.map((api) => api.url);
  return { url: urls[0] ?? '', urls, apis, workers, redis, directory, addApi, addWorker, stop };
}

function keep<T>(list: T[], item: T): T {
  list.push(item);
  return item;
}

/** Starts one process from its source file, in compiled form, and resolves when it reports that it is ready. */
export async function startProcess(
  entry: string,
  env: Record<string, string>,
  nodeOptions: readonly string[] = [],
): Promise<ServiceProcess> {
  const child = fork(compiledForStart(entry), {
    execArgv: [...nodeOptions],
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const exited = once(child, 'exit');
  // Its last words may come after its exit.
  const closed = once(child, 'close');
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, START_WITHIN_MS);
  const first = await Promise.race([once(child, 'message'), exited]);
  clearTimeout(deadline);
  if (child.exitCode !== null || child.signalCode !== null) {
    await closed;
    throw new Error(`${entry} ${isLate ? 'was not ready in time' : 'ended before it was ready'}: ${text}`);
  }
  const url = urlIn(first[0]);
  return {
    child,
    url,
    output: () => text,
    lines: () =>
      text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
      if (child.exitCode === null && child.signalCode === null) await exited;
      clearTimeout(timer);
      // A process that it has started may hold its output open for longer.
      await Promise.race([closed, delay(OUTPUT_WITHIN_MS, undefined, { ref: false })]);
      return child.exitCode;
    },
  };
}

function urlIn(message: unknown): string {
  const isListening = typeof message === 'object' && message !== null && 'url' in message;
  return isListening ? String(message.url) : '';
}
