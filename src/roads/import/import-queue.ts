import { BullQueues } from '../../queue/bull-queues.ts';
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

/** The BullMQ queue of uploads that a worker has to fetch. It writes nothing to Redis before its first use. */
export class ImportQueue {
  readonly #queues: BullQueues<ImportJobData>;

  constructor(connection: Redis, keys: QueueKeys, log: Logger) {
    this.#queues = new BullQueues(connection, keys, log);
  }

  /** Adds a job. Does nothing if the upload has one. */
  async add(id: string): Promise<void> {
    await available(() =>
      this.#queues
        .named(IMPORT_QUEUE_NAME)
        .add(
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
    await this.#queues.close();
  }
}
