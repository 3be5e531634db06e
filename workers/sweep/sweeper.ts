import { Queue, Worker } from 'bullmq';
import type { Redis } from '../../src/queue/connection.ts';
import { SWEEP_QUEUE_NAME, type QueueKeys } from '../../src/queue/contract.ts';
import { lookAfterDue, type DueParts } from './due-uploads.ts';
import { addMissingJobs, type MissingJobParts } from './missing-jobs.ts';
import { surveyStorage, type SurveyParts } from './survey.ts';

/** What a sweep needs, and the connection that BullMQ shares. */
export type SweeperParts = DueParts &
  MissingJobParts &
  SurveyParts & {
    connection: Redis;
    keys: QueueKeys;
    periodMs: number;
  };

const SCHEDULER_ID = 'sweep';

/** A sweep that takes longer than this without a sign of life is taken over by another worker. */
const LOCK_MS = 30_000;

/**
 * Puts in order what a process that died has left: BullMQ's job scheduler lets one worker of all run it, every
 * `periodMs`. Each part compares what is there with the records, so that running it twice is running it once.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #stopping = new AbortController();

  constructor(parts: SweeperParts) {
    this.#parts = parts;
    const options = { connection: parts.connection, prefix: parts.keys.bullPrefix };
    this.#queue = new Queue(SWEEP_QUEUE_NAME, options);
    this.#worker = new Worker(SWEEP_QUEUE_NAME, () => this.#sweep(), { ...options, lockDuration: LOCK_MS, maxStalledCount: 1_000_000 });
    const onError = (error: Error) => parts.log.debug({ reason: error.message }, 'sweep connection');
    this.#queue.on('error', onError);
    this.#worker.on('error', onError);
    this.#worker.on('failed', (_job, error) => parts.log.warn({ err: error }, 'sweep failed'));
  }

  /** Sees to it that there is a schedule; any number of workers may. */
  async start(): Promise<void> {
    await this.#queue.upsertJobScheduler(
      SCHEDULER_ID,
      { every: this.#parts.periodMs },
      { name: 'sweep', opts: { removeOnComplete: true, removeOnFail: true } },
    );
  }

  /** Ends a sweep under way at its next step. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#worker.close();
    await this.#queue.close();
  }

  async #sweep(): Promise<void> {
    await addMissingJobs(this.#parts);
    await lookAfterDue(this.#parts, this.#stopping.signal);
    await surveyStorage(this.#parts, this.#stopping.signal);
  }
}
