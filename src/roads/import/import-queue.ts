import { Queue } from 'bullmq';
import { available, type Redis } from '../../queue/connection.ts';
import { IMPORT_QUEUE_NAME, type QueueKeys } from '../../queue/contract.ts';
import type { Logger } from '../../telemetry/log.ts';

/** A job to fetch one upload. The record has the address and decides everything else. */
export interface ImportJobData {
  readonly id: string;
}

/** A fetch is tried this often if the storage or Redis does not work. */
const TRIES = 8;
const FIRST_PAUSE_MS = 2_000;

/** Nobody reads BullMQ's own events of this queue. */
const EVENT_STREAM_LENGTH = 100;

/** The BullMQ queue of uploads that a worker has to fetch. It writes nothing to Redis before its first use. */
export class ImportQueue {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;
  readonly #log: Logger;
  #opened: Queue<ImportJobData> | undefined;

  constructor(connection: Redis, keys: QueueKeys, log: Logger) {
    this.#connection = connection;
    this.#keys = keys;
    this.#log = log;
  }

  /** Adds a job. Does nothing if the upload has one. */
  async add(id: string): Promise<void> {
    await available(() =>
      this.#queue.add(
        'fetch',
        { id },
        {
          jobId: id,
          attempts: TRIES,
          backoff: { type: 'exponential', delay: FIRST_PAUSE_MS },
          stackTraceLimit: 0,
          removeOnComplete: true,
          removeOnFail: true,
        },
      ),
    );
  }

  async close(): Promise<void> {
    await this.#opened?.close();
  }

  get #queue(): Queue<ImportJobData> {
    return (this.#opened ??= this.#open());
  }

  #open(): Queue<ImportJobData> {
    const queue = new Queue<ImportJobData>(IMPORT_QUEUE_NAME, {
      connection: this.#connection,
      prefix: this.#keys.bullPrefix,
      skipVersionCheck: true,
      streams: { events: { maxLen: EVENT_STREAM_LENGTH } },
    });
    queue.on('error', (error) => this.#log.debug({ reason: error.message }, 'import queue connection error'));
    return queue;
  }
}
