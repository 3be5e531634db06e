import { DelayedError, Worker, type Job } from 'bullmq';
import type { Redis } from '../../src/queue/connection.ts';
import { IMPORT_QUEUE_NAME, type QueueKeys } from '../../src/queue/contract.ts';
import { fetchImport, FetchPutOffError, type FetchParts } from '../../src/roads/import/fetch-import.ts';
import type { ImportJobData } from '../../src/roads/import/import-queue.ts';
import type { Logger } from '../../src/telemetry/log.ts';
import { backOffOnError } from '../back-off-on-error.ts';
import { queuesInUse } from '../queues-in-use.ts';
import { StalledChecks } from '../stalled-checks.ts';
import { blockSeconds, NO_STALL_LIMIT } from '../worker-timing.ts';

/** Number of files that one process fetches at the same time. Most of the time it waits for other servers. */
const CONCURRENCY = 4;

/**
 * If a worker dies, its file is fetched again after 4 to 7 seconds: the rest of the lock, and up to two checks for
 * stalled jobs.
 */
const LOCK_MS = 5_000;

/**
 * The number of checks within a lock. While no import runs, the checks pause for three of their periods, which must be
 * shorter than the lock.
 */
const CHECKS_PER_LOCK = 5;

/** The parts that the imports of a process need. */
export interface ImportWorkerParts extends FetchParts {
  /** The BullMQ worker uses it and duplicates it for blocking reads. The caller closes it. */
  connection: Redis;
  keys: QueueKeys;
  log: Logger;
  /** Default `LOCK_MS`. */
  lockMs?: number;
}

/** Takes imports from BullMQ and fetches them. `cancel` stops one. */
export class ImportWorker {
  readonly #parts: ImportWorkerParts;
  readonly #worker: Worker<ImportJobData>;
  readonly #stopping = new AbortController();
  readonly #cancels = new Map<string, Set<() => void>>();
  readonly #endBackOff: () => void;
  readonly #stalledChecks: StalledChecks<Worker<ImportJobData>>;

  constructor(parts: ImportWorkerParts) {
    const { connection, keys, log, lockMs = LOCK_MS } = parts;
    this.#parts = parts;
    this.#worker = new Worker<ImportJobData>(IMPORT_QUEUE_NAME, (job, token) => this.#fetch(job, token), {
      connection,
      prefix: keys.bullPrefix,
      concurrency: CONCURRENCY,
      lockDuration: lockMs,
      drainDelay: blockSeconds(connection),
      // BullMQ's own timers for both checks would wake an idle process.
      skipLockRenewal: true,
      skipStalledCheck: true,
      // Of all processes, one runs the check in each period.
      stalledInterval: lockMs / CHECKS_PER_LOCK,
      maxStalledCount: NO_STALL_LIMIT,
    });
    this.#worker.on('error', (error) => log.debug({ reason: error.message }, 'import connection error'));
    this.#endBackOff = backOffOnError(this.#worker);
    this.#stalledChecks = new StalledChecks({
      inUse: async () => await queuesInUse(connection, [this.#worker]),
      check: async (worker) => void (await worker.backend.moveStalledJobsToWait()),
      periodMs: lockMs / CHECKS_PER_LOCK,
      log,
    });
    this.#stalledChecks.start();
  }

  /** Stops fetching an upload that was cancelled or deleted. */
  cancel(id: string): void {
    for (const cancelled of this.#cancels.get(id) ?? []) cancelled();
  }

  /** Takes no more imports. If one does not end within `graceMs`, another process begins it again. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(), graceMs);
    try {
      this.#endBackOff();
      await this.#stalledChecks.close();
      await this.#worker.close();
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch(job: Job<ImportJobData>, token = ''): Promise<void> {
    const stopRenewal = this.#renewLock(job, token);
    try {
      await fetchImport(this.#parts, job.data.id, {
        onCancel: (id, cancelled) => this.#onCancel(id, cancelled),
        stopping: this.#stopping.signal,
        isLastTry: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
      });
    } catch (error) {
      if (!(error instanceof FetchPutOffError)) throw error;
      await job.moveToDelayed(Date.now(), token);
      throw new DelayedError();
    } finally {
      stopRenewal();
    }
  }

  #renewLock(job: Job<ImportJobData>, token: string): () => void {
    const { log, lockMs = LOCK_MS } = this.#parts;
    const timer = setInterval(() => {
      job.extendLock(token, lockMs).catch((error: unknown) => log.debug({ err: error }, 'lock of import not renewed'));
    }, lockMs / 4);
    return () => clearInterval(timer);
  }

  #onCancel(id: string, cancelled: () => void): () => void {
    const own = this.#cancels.get(id) ?? new Set();
    this.#cancels.set(id, own.add(cancelled));
    return () => {
      own.delete(cancelled);
      if (own.size === 0) this.#cancels.delete(id);
    };
  }
}
