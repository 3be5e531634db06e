import { Worker, WaitingError, type Job } from 'bullmq';
import { isFinalState } from '../src/wire/documents.ts';
import type { Logger } from '../src/telemetry/log.ts';
import type { UploadRecord } from '../src/record/record-fields.ts';
import type { Redis } from '../src/queue/connection.ts';
import { QUEUE_NAME, type QueueKeys, type UploadJobData } from '../src/queue/contract.ts';
import type { UploadQueue } from '../src/queue/upload-queue.ts';
import type { Hold, RunnerParts, RunOutcome } from './attempt.ts';
import type { WorkerTiming } from './worker-timing.ts';
import { backOffOnError } from './back-off-on-error.ts';
import { StorageOutage } from './storage-outage.ts';
import { STOPPING, SUPERSEDED } from './stop-reasons.ts';
import { Retries } from './retries.ts';
import { runUpload } from './upload-runner.ts';
import { uploadRef } from '../src/telemetry/upload-ref.ts';
import { sharedPauses } from './worker-pauses.ts';

/** Node's pool has four threads, and reading and writing files needs some of them. */
const MOST_ABANDONED_CALLS = 2;

/** The record counts stalls. BullMQ must never fail a job because of its own count. */
const NO_STALL_LIMIT = 1_000_000;

/** Pause before an upload is tried again if its attempt could not be recorded. */
const UNRECORDED_PAUSE_MS = 5_000;

/** What a worker needs besides the parts that run an upload. */
export interface WorkerParts extends Omit<RunnerParts, 'noticeDependencyFault'> {
  /** The BullMQ worker uses it and duplicates it for blocking reads. The caller closes it. */
  connection: Redis;
  keys: QueueKeys;
  queue: UploadQueue;
  concurrency: number;
  timing: WorkerTiming;
  /** The number of native calls that hold a thread of this process although nothing waits for them. */
  abandonedCalls: () => number;
  /** Called one or more times when a processor does not stop. This process must be replaced. */
  onUnresponsive: () => void;
}

/** Takes jobs from BullMQ and runs their uploads. `cancel` stops an attempt of this process. */
export class UploadWorker {
  readonly #parts: WorkerParts;
  readonly #log: Logger;
  readonly #worker: Worker<UploadJobData>;
  /** One upload may be here twice, because a job whose lock has expired may return to the same worker. */
  readonly #inHand = new Set<Hold>();
  readonly #stopping = new AbortController();
  readonly #endBackOff: () => void;
  readonly #outage: StorageOutage;
  readonly #retries: Retries;
  readonly #runner: RunnerParts;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#worker = new Worker<UploadJobData>(QUEUE_NAME, (job, token) => this.#process(job, token), {
      connection: parts.connection,
      prefix: parts.keys.bullPrefix,
      concurrency: parts.concurrency,
      lockDuration: parts.timing.lockMs,
      stalledInterval: parts.timing.lookMs,
      maxStalledCount: NO_STALL_LIMIT,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.#worker.on('error', (error) => this.#log.debug({ reason: error.message }, 'worker connection'));
    const pausable = sharedPauses(this.#worker);
    this.#endBackOff = backOffOnError(pausable());
    this.#outage = new StorageOutage({ worker: pausable(), check: parts.checkStorage, log: parts.log });
    this.#runner = { ...parts, noticeDependencyFault: () => this.#outage.noticed() };
    this.#retries = new Retries(parts);
    this.#worker.on('lockRenewalFailed', (ids: string[]) => void this.#lookAgain((hold) => ids.includes(hold.id)));
    this.#worker.on('completed', (job: Job<UploadJobData>, outcome: RunOutcome) => {
      // The upload may have been queued again while this job existed, so it got no job of its own. A repeated report
      // may also have been rejected although no other attempt has begun.
      if (outcome === 'superseded') void this.#retries.now(job.data.id);
      if (typeof outcome === 'object') this.#retries.later(job.data.id, outcome.attempt, outcome.retryInMs);
    });
  }

  /** Resolves when the worker takes jobs, so not before Redis is available. */
  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Number of jobs running now. */
  get running(): number {
    return this.#inHand.size;
  }

  /** True while the worker takes no jobs because the storage cannot be used. */
  get isPaused(): boolean {
    return this.#outage.isOn;
  }

  /** Stops the attempts of this upload in this process. */
  cancel(id: string): void {
    for (const hold of this.#inHand) if (hold.id === id) hold.controller.abort(SUPERSEDED);
  }

  /** Call it if cancels may have been missed. Stops each attempt that its record says is over. */
  lookAgain(): void {
    void this.#lookAgain(() => true);
  }

  /** Takes no more jobs. Attempts that do not end within `graceMs` are requeued. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#stopping.abort(STOPPING), graceMs);
    try {
      this.#endBackOff();
      this.#outage.close();
      await this.#worker.close();
    } finally {
      this.#retries.close();
      clearTimeout(timer);
    }
  }

  async #process(job: Job<UploadJobData>, token: string | undefined): Promise<RunOutcome> {
    const controller = new AbortController();
    const { onUnresponsive } = this.#parts;
    const hold: Hold = {
      id: job.data.id,
      controller,
      attempt: undefined,
      stopping: this.#stopping.signal,
      onUnresponsive,
    };
    this.#inHand.add(hold);
    try {
      // A paused worker may still receive the job that it was waiting for.
      if (this.#outage.isOn) return await waitAgain(job, token);
      const outcome = await this.#run(job, hold);
      if (outcome === 'done') this.#outage.worked();
      if (outcome === 'requeued') return await waitAgain(job, token);
      return outcome;
    } finally {
      this.#inHand.delete(hold);
      if (this.#parts.abandonedCalls() >= MOST_ABANDONED_CALLS) onUnresponsive();
    }
  }

  async #run(job: Job<UploadJobData>, hold: Hold): Promise<RunOutcome> {
    try {
      return await runUpload(this.#runner, job.data, hold);
    } catch (error) {
      this.#log.warn({ err: error, upload: uploadRef(hold.id) }, 'attempt not recorded');
      return { retryInMs: UNRECORDED_PAUSE_MS * (0.5 + Math.random()), attempt: hold.attempt };
    }
  }

  /** Reads the records of running uploads. An expired lock proves nothing, because no worker may have taken the job. */
  async #lookAgain(isMeant: (hold: Hold) => boolean): Promise<void> {
    for (const hold of [...this.#inHand].filter(isMeant)) {
      try {
        const record = (await this.#parts.records.read(hold.id))?.record;
        if (isLost(hold, record)) hold.controller.abort(SUPERSEDED);
      } catch (error) {
        this.#log.debug({ err: error, upload: uploadRef(hold.id) }, 'record of a running upload not read');
      }
    }
  }
}

/** Moves the job back to the queue. Always rejects with the error that BullMQ expects in this case. */
async function waitAgain(job: Job<UploadJobData>, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

/** While the number of the attempt is unknown, only a final state shows that the attempt is over. */
function isLost(hold: Hold, record: UploadRecord | undefined): boolean {
  if (hold.attempt === undefined) return record !== undefined && isFinalState(record.state);
  return record?.state !== 'processing' || record.attempt !== hold.attempt;
}
