import { randomUUID } from 'node:crypto';
import { link, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openCaller, type TenantLimits } from '../../../../src/access/caller.ts';
import { OTHER_KIND, queueKeys, type QueueKeys } from '../../../../src/queue/contract.ts';
import { closeConnection, RedisRecordStore, type Redis } from '../../../../src/queue/connection.ts';
import { UploadRecords } from '../../../../src/record/record.ts';
import { loadConfig } from '../../../../src/settings/config.ts';
import { originalKey } from '../../../../src/storage/keys.ts';
import { eachAtOnce } from '../../lib/at-once.ts';
import { openRedis } from '../../lib/open-redis.ts';

const FENCING_TOKEN = 'bench';
const SIZE_BYTES = 1000;
const LIMITS = { capacity: 1_000_000, discards: false, perAddress: 0 };
const RETENTION_MS = 3_600_000;
const AT_ONCE = 50;

/** Queues uploads of several tenants, as API processes do, without HTTP. */
export class QueueOfTenants {
  readonly records: UploadRecords;
  readonly connection: Redis;
  readonly keys: QueueKeys;
  readonly #directory: string;

  constructor(redisUrl: string, directory: string) {
    this.#directory = directory;
    this.connection = openRedis(redisUrl);
    this.keys = queueKeys(loadConfig({}).queuePrefix);
    this.records = new UploadRecords(new RedisRecordStore(this.connection), this.keys, { retentionMs: RETENTION_MS });
  }

  /**
   * Opens uploads that are not queued yet. `tenantOf` names the tenant of each, and all tenants have these limits.
   * Resolves with their ids.
   */
  async open(count: number, tenantOf: (index: number) => string, limits: TenantLimits = {}): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    await eachAtOnce(count, AT_ONCE, async (index) => {
      const caller = { ...openCaller, via: 'key' as const, tenant: tenantOf(index), limits };
      const upload = {
        id: ids[index] ?? '',
        fencingToken: FENCING_TOKEN,
        fileName: 'photo.jpg',
        totalBytes: SIZE_BYTES,
      };
      await this.records.open({ ...upload, caller }, LIMITS);
    });
    return ids;
  }

  /** Stores a file for each upload, so that a worker can process it. */
  async store(ids: readonly string[]): Promise<void> {
    const file = join(this.#directory, `file-${randomUUID()}`);
    await writeFile(file, Buffer.alloc(SIZE_BYTES));
    await eachAtOnce(ids.length, AT_ONCE, async (index) => {
      const path = join(this.#directory, originalKey(ids[index] ?? '', FENCING_TOKEN));
      await mkdir(dirname(path), { recursive: true });
      await link(file, path);
    });
  }

  /** Queues opened uploads. Does not add permits. */
  async enqueue(ids: readonly string[], atOnce = AT_ONCE): Promise<void> {
    const stored = { type: 'image/jpeg', sizeBytes: SIZE_BYTES, sha256: '0'.repeat(64), options: {} };
    await eachAtOnce(ids.length, atOnce, async (index) => {
      const outcome = await this.records.enqueue(ids[index] ?? '', FENCING_TOKEN, stored, LIMITS);
      if (!outcome.applied) throw new Error(`an upload was rejected: ${outcome.rejection}`);
    });
  }

  /** Begins the next uploads. */
  async take(count: number): Promise<void> {
    await eachAtOnce(count, AT_ONCE, async () => {
      const taken = await this.records.take({ kind: OTHER_KIND, id: randomUUID() });
      if (taken.nothing) throw new Error('no upload waits');
    });
  }

  async waiting(): Promise<number> {
    return await this.connection.zcard(this.keys.waiting);
  }

  async close(): Promise<void> {
    await closeConnection(this.connection);
  }
}
