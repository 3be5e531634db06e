import { Redis } from 'ioredis';
import { decodeProgress, pairFields, type RecordFields } from '../../src/record/record-fields.ts';
import { AuditTrail } from './audit-trail.ts';
import { TurnLog } from './turn-log.ts';

const BLOCK_MS = 500;
const MOST_ENTRIES = 1000;

/** Reads every change of every upload directly from Redis's event stream, without a proxy. */
export class Auditor {
  readonly trail = new AuditTrail();
  readonly turns = new TurnLog();
  readonly #redis: Redis;
  readonly #stream: string;
  #reading: Promise<void> | undefined;
  #isClosed = false;
  #caughtUpAtMs = 0;

  /** Opens a connection, which reconnects on its own. */
  constructor(redisUrl: string, stream: string) {
    this.#stream = stream;
    this.#redis = new Redis(redisUrl, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    this.#redis.on('error', () => undefined);
  }

  start(): void {
    this.#reading = this.#read();
  }

  /** The time at which the stream was last read to its end. */
  get caughtUpAtMs(): number {
    return this.#caughtUpAtMs;
  }

  /** Call it when Redis has lost changes. */
  forget(): void {
    this.trail.forget();
    this.turns.end();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#redis.disconnect();
    await this.#reading;
  }

  async #read(): Promise<void> {
    let after = '0';
    while (!this.#isClosed) {
      const askedAtMs = performance.now();
      const read = await this.#redis
        .xread('COUNT', MOST_ENTRIES, 'BLOCK', BLOCK_MS, 'STREAMS', this.#stream, after)
        .catch(() => undefined);
      const entries = read?.[0]?.[1] ?? [];
      if (read === null || (read !== undefined && entries.length < MOST_ENTRIES)) this.#caughtUpAtMs = askedAtMs;
      for (const [entryId, flat] of entries) {
        after = entryId;
        this.#check(pairFields(flat));
      }
    }
  }

  /** Checks one entry of the stream. BullMQ's own events, which are in the same stream, are skipped. */
  #check({ event, jobId = '', data = '' }: RecordFields): void {
    if (event !== 'progress') return;
    const change = decodeProgress(jobId, JSON.parse(data) as RecordFields);
    this.trail.change(jobId, change);
    this.turns.change(jobId, change);
  }
}
