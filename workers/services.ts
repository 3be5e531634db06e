import { ConfigError, loadConfig, type Config } from '../src/config.ts';
import { createLog, type Logger } from '../src/log.ts';
import { Presence } from '../src/presence/presence.ts';
import { UploadTally } from '../src/presence/upload-tally.ts';
import { recordOptions } from '../src/progress/record-options.ts';
import { UploadRecords } from '../src/progress/record.ts';
import { closeConnection, openWaitingConnection, RedisRecordStore, type Redis } from '../src/queue/connection.ts';
import { queueKeys } from '../src/queue/contract.ts';
import { RedisCheck } from '../src/queue/redis-check.ts';
import { connectToRedis } from '../src/queue/redis-client.ts';
import { DEFAULT_REDIS } from '../src/queue/redis-place.ts';
import { UploadQueue } from '../src/queue/upload-queue.ts';
import { UploadSets } from '../src/queue/upload-sets.ts';
import { CLOSE_MARGIN_MS, closeOnSignal, exitWithLine } from '../src/shutdown.ts';
import { openStorage } from '../src/storage/open-storage.ts';
import { isolatedRunner } from './isolation/run-isolated.ts';
import type { ProcessorTable } from './processors.ts';
import { Sweeper } from './sweep/sweeper.ts';
import { watchEventLoop } from './watchdog.ts';
import { WORKER_TIMING, type WorkerTiming } from './worker-timing.ts';
import { UploadWorker } from './worker.ts';

/** What makes one kind of worker process. */
export interface WorkerKind {
  createProcessors: (config: Config) => ProcessorTable;
  /** Runs the same processors in a process of its own; see `isolatedRunner`. */
  isolatedEntry: URL;
  /** Default `WORKER_TIMING`. */
  timing?: WorkerTiming;
}

/** Runs a worker process until it is told to stop; a wrong setting ends it with one line. */
export function runWorkerProcess(kind: WorkerKind): void {
  start(kind).catch((error: unknown) => exitWithLine(error, error instanceof ConfigError ? ConfigError.exitCode : 1));
}

/** Builds, wires and starts in one order, and closes in the reverse. */
async function start(kind: WorkerKind): Promise<void> {
  const config = loadConfig();
  const log = createLog('worker', config);
  const keys = queueKeys(config.queuePrefix);
  const place = config.redis ?? DEFAULT_REDIS;
  const connection = openWaitingConnection(place, log);
  await untilRedisIsThere(connection, log);
  const calls = connectToRedis(place, 'waits');
  calls.on('error', (error: Error) => log.debug({ reason: error.message }, 'call connection'));
  const tally = new UploadTally();
  const records = new UploadRecords(new RedisRecordStore(connection), keys, {
    ...recordOptions(config),
    onEntered: (state, from) => tally.entered(state, from),
  });
  const queue = new UploadQueue(connection, keys, log);
  const storage = await openStorage(config);
  const timing = kind.timing ?? WORKER_TIMING;
  const processors = kind.createProcessors(config);
  const replacement = new Replacement(processors, log);
  const worker = new UploadWorker({
    connection,
    keys,
    queue,
    records,
    storage,
    processors,
    log,
    runIsolated: isolatedRunner(kind.isolatedEntry),
    attemptTimeoutMs: config.attemptTimeoutMs,
    concurrency: config.workerConcurrency,
    timing,
    obeyMs: timing.obeyMs,
    abandonedCalls: () => processors.abandonedCalls(),
    onLeftBehind: () => replacement.ask(),
  });
  const sweeper = new Sweeper({
    connection,
    keys,
    queue,
    records,
    sets: new UploadSets(connection, keys),
    storage,
    log,
    periodMs: config.sweepPeriodMs,
  });
  const presence = new Presence('worker', { connection, keys, log }, () => ({
    held: {},
    running: worker.running,
    lastMinute: tally.lastMinute,
    wake: null,
  }));
  const endWatch = watchEventLoop(timing.loopLimitMs);

  replacement.close = closeOnSignal(log, config.shutdownGraceMs + CLOSE_MARGIN_MS, async () => {
    // Both at once: neither is to take another job while it waits for the other.
    await Promise.all([sweeper.close(), worker.close(config.shutdownGraceMs)]);
    await presence.close();
    await queue.close();
    calls.disconnect();
    await closeConnection(connection);
    await storage.close?.();
    endWatch();
    replacement.endWhereStuck();
  });

  calls.on('message', (_channel: string, id: string) => worker.cancel(id));
  // Subscribed again by then, after a while in which calls were lost.
  calls.on('ready', () => worker.lookAgain());
  await calls.subscribe(keys.cancelChannel);
  await worker.ready();
  await sweeper.start();
  presence.start();
  log.info('ready');
  process.send?.({ type: 'ready' });
}

/** There is nothing to close yet where the supervisor goes meanwhile. Rejects with `ConfigError` where it must not be used. */
async function untilRedisIsThere(connection: Redis, log: Logger): Promise<void> {
  const leave = (): never => process.exit(0);
  process.once('disconnect', leave);
  await RedisCheck.start(connection, log, Infinity);
  process.off('disconnect', leave);
}

/** Ends a process in which a processor does not stop, so that whoever keeps workers running starts a fresh one. */
class Replacement {
  /** Begins to close the process. */
  close: (reason: string) => void = () => undefined;
  readonly #processors: Pick<ProcessorTable, 'abandonedCalls'>;
  readonly #log: Logger;
  #isAsked = false;

  constructor(processors: Pick<ProcessorTable, 'abandonedCalls'>, log: Logger) {
    this.#processors = processors;
    this.#log = log;
  }

  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#log.error('a processor does not stop; this process ends, to be started again');
    this.close('stuck');
  }

  /** Node's own exit waits for its thread pool, and so for the very thread that is stuck, or busy with what nobody wants. */
  endWhereStuck(): void {
    if (!this.#isAsked && this.#processors.abandonedCalls() === 0) return;
    this.#log.info('closed');
    process.kill(process.pid, 'SIGKILL');
  }
}
