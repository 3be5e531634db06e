import { Queue, type DefaultJobOptions } from 'bullmq';
import type { Logger } from '../telemetry/log.ts';
import type { Redis } from './connection.ts';
import { JOB_EVENTS_LENGTH, type QueueKeys } from './contract.ts';

/** BullMQ queues over one connection. A queue is opened at its first use, and writes nothing to Redis before. */
export class BullQueues<Data> {
  readonly #connection: Redis;
  readonly #keys: QueueKeys;
  readonly #log: Logger;
  readonly #defaults: DefaultJobOptions;
  readonly #opened = new Map<string, Queue<Data>>();

  constructor(connection: Redis, keys: QueueKeys, log: Logger, defaults: DefaultJobOptions = {}) {
    this.#connection = connection;
    this.#keys = keys;
    this.#log = log;
    this.#defaults = defaults;
  }

  /** Returns the queue with this name. */
  named(name: string): Queue<Data> {
    const opened = this.#opened.get(name);
    if (opened !== undefined) return opened;
    const queue = new Queue<Data>(name, {
      connection: this.#connection,
      prefix: this.#keys.bullPrefix,
      skipVersionCheck: true,
      streams: { events: { maxLen: JOB_EVENTS_LENGTH } },
      defaultJobOptions: this.#defaults,
    });
    queue.on('error', (error) => this.#log.debug({ queue: name, reason: error.message }, 'queue connection error'));
    this.#opened.set(name, queue);
    return queue;
  }

  /** Closes the opened queues, but not the connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map((queue) => queue.close()));
  }
}
