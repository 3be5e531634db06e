import { Worker, WaitingError, type Job } from 'bullmq';
import type { Logger } from '../src/log.ts';
import type { Redis } from '../src/queue/connection.ts';
import { MAX_ATTEMPTS, QUEUE_NAME, type QueueKeys, type UploadJobData } from '../src/queue/contract.ts';
import type { UploadQueue } from '../src/queue/upload-queue.ts';
import { runUpload, STOPPING, SUPERSEDED, type RunnerParts, type RunOutcome } from './upload-runner.ts';

/** A worker that is gone is noticed when its lock runs out and the next look for stalled jobs comes by. */
const LOCK_MS = 6_000;
const STALLED_LOOK_MS = 3_000;

/** Stalls are counted by the record's attempts; BullMQ's own count must never end a job behind its back. */
const NO_STALL_LIMIT = 1_000_000;

/** What a worker needs besides what running an upload does. */
export interface WorkerParts extends RunnerParts {
  /** Shared by the BullMQ worker, which duplicates it for its blocking reads; stays the caller's. */
  connection: Redis;
  keys: QueueKeys;
  queue: UploadQueue;
  concurrency: number;
}

/** Takes jobs from BullMQ and runs their uploads; `cancel` reaches what is in hand here. */
export class UploadWorker {
  readonly #parts: WorkerParts;
  readonly #log: Logger;
  readonly #worker: Worker<UploadJobData>;
  readonly #inHand = new Map<string, AbortController>();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#worker = new Worker<UploadJobData>(QUEUE_NAME, (job, token, signal) => this.#process(job, token, signal), {
      connection: parts.connection,
      prefix: parts.keys.bullPrefix,
      concurrency: parts.concurrency,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_LOOK_MS,
      maxStalledCount: NO_STALL_LIMIT,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    this.#worker.on('error', (error) => this.#log.debug({ reason: error.message }, 'worker connection'));
    this.#worker.on('completed', (job: Job<UploadJobData>, outcome: RunOutcome) => {
      if (outcome === 'superseded') void this.#addAgain(job.data.id);
    });
  }

  /** Resolves when it takes jobs, which takes as long as Redis is away. */
  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Stops the upload's work where it is in hand here; nothing otherwise. */
  cancel(id: string): void {
    this.#inHand.get(id)?.abort(SUPERSEDED);
  }

  /** Takes no more jobs; what is in hand may end within `graceMs`, then it is handed back. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => {
      for (const controller of this.#inHand.values()) controller.abort(STOPPING);
    }, graceMs);
    try {
      await this.#worker.close();
    } finally {
      clearTimeout(timer);
    }
  }

  async #process(job: Job<UploadJobData>, token: string | undefined, signal: AbortSignal | undefined): Promise<RunOutcome> {
    const { id } = job.data;
    const controller = new AbortController();
    const onLost = () => controller.abort(SUPERSEDED);
    signal?.addEventListener('abort', onLost, { once: true });
    this.#inHand.set(id, controller);
    try {
      const outcome = await runUpload(this.#parts, job.data, controller);
      if (outcome === 'handed-back') {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      if (outcome === 'retry') throw new Error(`attempt failed; at most ${MAX_ATTEMPTS} are made`);
      return outcome;
    } finally {
      signal?.removeEventListener('abort', onLost);
      this.#inHand.delete(id);
    }
  }

  /**
   * A restart of the upload may have found this job still in its place, and so have added none; and a report
   * that was sent twice may have been refused though nobody else has the upload.
   */
  async #addAgain(id: string): Promise<void> {
    try {
      const read = await this.#parts.records.read(id);
      const isOpen = read?.record.state === 'queued' || read?.record.state === 'processing';
      if (isOpen) await this.#parts.queue.add(id);
    } catch (error) {
      this.#log.warn({ err: error, uploadId: id }, 'job not added again; the sweep will');
    }
  }
}
