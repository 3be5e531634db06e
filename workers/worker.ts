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

/** Of the four threads of Node's pool, which files are read and written by too. */
const MOST_ABANDONED_CALLS = 2;

/** Stalls are counted by the record; BullMQ's own count must never end a job behind its back. */
const NO_STALL_LIMIT = 1_000_000;

/** An upload whose attempt could not even be recorded is tried again after this pause. */
const UNRECORDED_PAUSE_MS = 5_000;

/** What a worker needs besides what running an upload does. */
export interface WorkerParts extends Omit<RunnerParts, 'noticeDependencyFault'> {
  /** Shared by the BullMQ worker, which duplicates it for its blocking reads; stays the caller's. */
  connection: Redis;
  keys: QueueKeys;
  queue: UploadQueue;
  concurrency: number;
  timing: WorkerTiming;
  /** The number of native calls that hold a thread of this process although nothing waits for them. */
  abandonedCalls: () => number;
  /** Called when a processor does not stop, once or more: this process has to be replaced. */
  onUnresponsive: () => void;
}

/** Takes jobs from BullMQ and runs their uploads; `cancel` reaches what is in hand here. */
export class UploadWorker {
  readonly #parts: WorkerParts;
  readonly #log: Logger;
  readonly #worker: Worker<UploadJobData>;
  /** The same upload may be in hand twice: a job whose lock ran out may come back to where it was. */
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
      // A restart of the upload may have found this job still in its place, and a repeated report may have been rejected
      // although no other attempt has begun.
      if (outcome === 'superseded') void this.#retries.now(job.data.id);
      if (typeof outcome === 'object') this.#retries.later(job.data.id, outcome.attempt, outcome.retryInMs);
    });
  }

  /** Resolves when it takes jobs, which takes as long as Redis is away. */
  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Jobs in hand now. */
  get running(): number {
    return this.#inHand.size;
  }

  /** True while no job is taken because the storage cannot be used. */
  get isPaused(): boolean {
    return this.#outage.isOn;
  }

  /** Stops the attempts of this upload in this process. */
  cancel(id: string): void {
    for (const hold of this.#inHand) if (hold.id === id) hold.controller.abort(SUPERSEDED);
  }

  /** Call it when cancels may have been missed. Stops the attempts that are over according to their records. */
  lookAgain(): void {
    void this.#lookAgain(() => true);
  }

  /** Takes no more jobs. Running attempts may end within `graceMs`; the rest is requeued. */
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
      // A worker that is paused may still get the job that it was waiting for.
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

  /** Asks the records whose the uploads in hand are. A lock that ran out is no sign: nobody may have taken the job over. */
  async #lookAgain(isMeant: (hold: Hold) => boolean): Promise<void> {
    for (const hold of [...this.#inHand].filter(isMeant)) {
      try {
        const record = (await this.#parts.records.read(hold.id))?.record;
        if (isLost(hold, record)) hold.controller.abort(SUPERSEDED);
      } catch (error) {
        this.#log.debug({ err: error, upload: uploadRef(hold.id) }, 'not looked at again; the next report will tell');
      }
    }
  }
}

/** Moves the job back to the queue. Never resolves: BullMQ expects this error then. */
async function waitAgain(job: Job<UploadJobData>, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

/** Until the reply with the attempt's number arrives, only a final state shows that the attempt is over. */
function isLost(hold: Hold, record: UploadRecord | undefined): boolean {
  if (hold.attempt === undefined) return record !== undefined && isFinalState(record.state);
  return record?.state !== 'processing' || record.attempt !== hold.attempt;
}
