import { Queue } from 'bullmq';
import type { Logger } from '../telemetry/log.ts';
import { available, type Redis } from './connection.ts';
import { loadScript } from './load-script.ts';
import { EVENT_STREAM_LENGTH, QUEUE_NAME, type QueueKeys, type UploadJobData } from './contract.ts';

const PAUSED_SCRIPT = loadScript(new URL('scripts/paused.lua', import.meta.url));

/** Numbers of jobs in BullMQ's states. */
export interface JobCounts {
  waiting: number;
  active: number;
  /** Uploads whose next job starts after a pause. BullMQ's own delays use the clock of a worker. */
  delayed: number;
}

/** The BullMQ queue as the API uses it. */
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

  /** Adds the job of an upload. If it exists already, nothing changes. */
  async add(id: string, requestId?: string): Promise<void> {
    const data = requestId === undefined ? { id } : { id, requestId };
    await available(() => this.#queue.add('digest', data, { jobId: id }));
  }

  /** Removes the job unless a worker has it. In that case the record rejects the worker's outcome. */
  async remove(id: string): Promise<void> {
    await available(() => this.#queue.remove(id));
  }

  /** Returns the uploads that have no job in any of BullMQ's states. */
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
