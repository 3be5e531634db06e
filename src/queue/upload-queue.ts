import { Queue } from 'bullmq';
import type { Logger } from '../telemetry/log.ts';
import { available, type Redis } from './connection.ts';
import { loadScript } from './load-script.ts';
import { EVENT_STREAM_LENGTH, QUEUE_NAME, type QueueKeys, type UploadJobData } from './contract.ts';

const PAUSED_SCRIPT = loadScript(new URL('scripts/paused.lua', import.meta.url));

/** How many jobs are in which BullMQ state. */
export interface JobCounts {
  waiting: number;
  active: number;
  /** Uploads that get their next job when a pause is over. BullMQ's own delays go by the clock of a worker. */
  delayed: number;
}

/** The API's side of the BullMQ queue. */
export class UploadQueue {
  readonly #connection: Redis;
  readonly #waitingKey: string;
  readonly #queue: Queue<UploadJobData>;

  constructor(connection: Redis, keys: QueueKeys, log: Logger) {
    this.#connection = connection;
    this.#waitingKey = keys.waiting;
    this.#queue = new Queue<UploadJobData>(QUEUE_NAME, {
      connection,
      prefix: keys.bullPrefix,
      skipVersionCheck: true,
      streams: { events: { maxLen: EVENT_STREAM_LENGTH } },
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    this.#queue.on('error', (error) => log.debug({ reason: error.message }, 'queue connection'));
  }

  /** Adds the job of an upload. Twice is once: a job that is there already stays as it is. */
  async add(id: string, requestId?: string): Promise<void> {
    const data = requestId === undefined ? { id } : { id, requestId };
    await available(() => this.#queue.add('digest', data, { jobId: id }));
  }

  /** Removes a job that no worker holds; one in a worker's hands is left to the record, which refuses its outcome. */
  async remove(id: string): Promise<void> {
    await available(() => this.#queue.remove(id));
  }

  /** Those of the uploads that have no job, in whatever state of BullMQ's. */
  async withoutJob(ids: readonly string[]): Promise<string[]> {
    const found = await available(() => Promise.all(ids.map((id) => this.#connection.exists(this.#queue.toKey(id)))));
    return ids.filter((_, index) => found[index] === 0);
  }

  async counts(): Promise<JobCounts> {
    const [counts, delayed] = await available(() =>
      Promise.all([
        this.#queue.getJobCounts('waiting', 'active'),
        this.#connection.eval(PAUSED_SCRIPT, 1, this.#waitingKey),
      ]),
    );
    return { waiting: counts['waiting'] ?? 0, active: counts['active'] ?? 0, delayed: Number(delayed) };
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
