import { Redis } from 'ioredis';
import { isFinalState } from '../../../src/wire/documents.ts';
import { decodeRecord, type UploadRecord } from '../../../src/record/record-fields.ts';
import type { QueueKeys } from '../../../src/queue/contract.ts';

/** Lists and sets in which BullMQ keeps the ids of jobs that are not over. */
const JOB_PLACES = [
  'wait',
  'active',
  'paused',
  'prioritized',
  'delayed',
  'stalled',
  'completed',
  'failed',
  'waiting-children',
];

const BATCH = 500;

/** What Redis holds, read past all proxies. */
export class RedisView {
  readonly #redis: Redis;
  readonly #keys: QueueKeys;

  constructor(url: string, keys: QueueKeys) {
    this.#keys = keys;
    this.#redis = new Redis(url, { maxRetriesPerRequest: null });
    this.#redis.on('error', () => undefined);
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** Every record there is. */
  async records(): Promise<UploadRecord[]> {
    const prefix = this.#keys.record('');
    const keys = await this.#redis.keys(`${prefix}*`);
    const records: UploadRecord[] = [];
    for (let start = 0; start < keys.length; start += BATCH) {
      const read = await Promise.all(
        keys.slice(start, start + BATCH).map(async (key) => ({ key, fields: await this.#redis.hgetall(key) })),
      );
      for (const { key, fields } of read)
        if (fields['state'] !== undefined) records.push(decodeRecord(key.slice(prefix.length), fields));
    }
    return records;
  }

  /** The fields of one record as they lie there. */
  async fields(id: string): Promise<Record<string, string>> {
    return await this.#redis.hgetall(this.#keys.record(id));
  }

  /** Jobs that BullMQ has in any of its places, as `place id`. */
  async jobs(): Promise<string[]> {
    const places = await Promise.all(
      JOB_PLACES.map(async (place) =>
        (await this.#members(`${this.#keys.bullPrefix}:uploads:${place}`)).map((id) => `${place} ${id}`),
      ),
    );
    return places.flat();
  }

  async #members(key: string): Promise<string[]> {
    switch (await this.#redis.type(key)) {
      case 'list':
        return await this.#redis.lrange(key, 0, -1);
      case 'zset':
        return await this.#redis.zrange(key, '0', '-1');
      case 'set':
        return await this.#redis.smembers(key);
      default:
        return [];
    }
  }
}

/** Those that have not come to their end. */
export function openUploads(records: readonly UploadRecord[]): string[] {
  return records
    .filter(({ state }) => !isFinalState(state))
    .map(({ id, state, version, attempt }) => `${id} ${state} (version ${version}, attempt ${attempt})`);
}
