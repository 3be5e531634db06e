import { Queue, Worker } from 'bullmq';
import type { Redis } from '../../src/queue/connection.ts';
import { SWEEP_QUEUE_NAME, type QueueKeys } from '../../src/queue/contract.ts';
import { restOnRefusal } from '../rest-on-refusal.ts';
import { lookAfterDue, type DueParts } from './due-uploads.ts';
import { addMissingJobs, type MissingJobParts } from './missing-jobs.ts';
import { surveyStorage, type SurveyParts } from './survey.ts';

/** What a sweep needs, and the connection that BullMQ shares. */
export type SweeperParts = DueParts &
  MissingJobParts &
  SurveyParts & { connection: Redis; keys: QueueKeys; periodMs: number };

const SCHEDULER_ID = 'sweep';

/** A sweep of which nothing was heard for so long is taken over by another worker, which looks so often for such. */
const LOCK_MS = 10_000;
const STALLED_LOOK_MS = 5_000;

/** A Redis that was emptied has lost the schedule too; each worker looks so often. */
const SCHEDULE_LOOK_MS = 5_000;

/**
 * Puts in order what a process that died has left: BullMQ's job scheduler lets one worker of all run it, every
 * `periodMs`. Each part compares what is there with the records, so that running it twice is running it once.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #stopping = new AbortController();
  readonly #endRest: () => void;
  #looking: NodeJS.Timeout | undefined;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
    const options = { connection: parts.connection, prefix: parts.keys.bullPrefix };
    this.#queue = new Queue(SWEEP_QUEUE_NAME, options);
    this.#worker = new Worker(SWEEP_QUEUE_NAME, () => this.#sweep(), {
      ...options,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_LOOK_MS,
      maxStalledCount: 1_000_000,
    });
    const onError = (error: Error) => parts.log.debug({ reason: error.message }, 'sweep connection');
    this.#queue.on('error', onError);
    this.#worker.on('error', onError);
    this.#worker.on('failed', (_job, error) => parts.log.warn({ err: error }, 'sweep failed'));
    this.#endRest = restOnRefusal(this.#worker);
  }

  /** Sees to it that there is a schedule, until it is closed; any number of workers may. */
  async start(): Promise<void> {
    await this.#schedule();
    this.#looking = setInterval(() => void this.#scheduleWhereLost(), Math.min(this.#parts.periodMs, SCHEDULE_LOOK_MS));
  }

  async #scheduleWhereLost(): Promise<void> {
    if (this.#parts.connection.status !== 'ready') return;
    try {
      // To schedule it anew where it is would put the next sweep off.
      if ((await this.#queue.getJobScheduler(SCHEDULER_ID)) === undefined) await this.#schedule();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'sweep not scheduled');
    }
  }

  async #schedule(): Promise<void> {
    await this.#queue.upsertJobScheduler(
      SCHEDULER_ID,
      { every: this.#parts.periodMs },
      { name: 'sweep', opts: { removeOnComplete: true, removeOnFail: true } },
    );
  }

  /** Ends a sweep under way at its next step. */
  async close(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#looking);
    this.#endRest();
    await this.#worker.close();
    await this.#queue.close();
  }

  async #sweep(): Promise<void> {
    await addMissingJobs(this.#parts);
    await lookAfterDue(this.#parts, this.#stopping.signal);
    await surveyStorage(this.#parts, this.#stopping.signal);
  }
}
