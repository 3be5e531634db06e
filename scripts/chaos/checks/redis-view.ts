import { Redis } from 'ioredis';
import { isFinalState } from '../../../src/wire/documents.ts';
import { decodeRecord, type UploadRecord } from '../../../src/record/record-fields.ts';
import { OTHER_KIND, queueNameOf, type QueueKeys } from '../../../src/queue/contract.ts';

/** The lists and sets in which BullMQ keeps the ids of jobs. */
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

/**
 * Counts the receiving uploads of each tenant. An upload that was rejected at its opening does not count, because it is
 * about to become failed.
 */
const RECEIVING_SCRIPT = `
local counts, reply = {}, {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local state, tenant, uncounted = unpack(redis.call('HMGET', key, 'state', 'tenant', 'uncounted'))
  if state == 'receiving' and tenant and uncounted ~= '1' then counts[tenant] = (counts[tenant] or 0) + 1 end
end
for tenant, count in pairs(counts) do
  reply[#reply + 1] = tenant
  reply[#reply + 1] = count
end
return reply`;

/** Reads the content of Redis directly, without a proxy. */
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

  /** Returns every record. */
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

  /** Returns the number of receiving uploads of each tenant, all at one moment. */
  async receivingByTenant(): Promise<Map<string, number>> {
    const reply = await this.#redis.eval(RECEIVING_SCRIPT, 0, this.#keys.record(''));
    const flat = Array.isArray(reply) ? reply.map(String) : [];
    return new Map(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, Number(flat[index + 1])]] : [])));
  }

  /** Returns what the tenants use, as the service counts it: `<tenant>:<name>`. */
  async tenantUse(): Promise<Record<string, string>> {
    return await this.#redis.hgetall(`${this.#keys.tenants}:use`);
  }

  /** Returns the fields of one record as they are stored. */
  async fields(id: string): Promise<Record<string, string>> {
    return await this.#redis.hgetall(this.#keys.record(id));
  }

  /** Returns the permits in the queues of all kinds as `queue place id`. */
  async jobs(): Promise<string[]> {
    const kinds = [OTHER_KIND, ...(await this.#redis.smembers(this.#keys.kinds))];
    const queues = [...new Set(kinds.map(queueNameOf))];
    const places = await Promise.all(
      queues.flatMap((queue) =>
        JOB_PLACES.map(async (place) =>
          (await this.#members(`${this.#keys.bullPrefix}:${queue}:${place}`)).map((id) => `${queue} ${place} ${id}`),
        ),
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

/** Returns the uploads that are not final. */
export function openUploads(records: readonly UploadRecord[]): string[] {
  return records
    .filter(({ state }) => !isFinalState(state))
    .map(({ id, state, version, attempt }) => `${id} ${state} (version ${version}, attempt ${attempt})`);
}
