import { randomUUID } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { UploadRecords } from '../../src/record/record.ts';
import { UploadSets } from '../../src/queue/upload-sets.ts';
import { originalKey } from '../../src/storage/keys.ts';
import { manifestObject, type Manifest } from '../../src/storage/manifest.ts';
import { putObject } from '../../src/storage/storage.ts';
import type { DueParts } from '../../workers/janitor/due-uploads.ts';
import type { ReconciliationParts } from '../../workers/janitor/reconciliation-scan.ts';
import { openRecordSpace, silentLog, STORED, type RecordSpace } from './record-space.ts';
import { sharedRedis } from './shared-redis.ts';
import { openTempStorage, type TempStorage } from './temp-storage.ts';

/** The parts of a janitor: records on a real Redis, files in a directory, and a list instead of the queue. */
export interface JanitorSpace extends RecordSpace, TempStorage {
  readonly sets: UploadSets;
  /** Kinds of the permits that were added. */
  readonly permits: string[];
  readonly queue: DueParts['queue'] & ReconciliationParts['queue'];
  /** Returns the parts of a sweep. Default: with the records of this space. */
  parts(records?: UploadRecords): DueParts & ReconciliationParts;
  /** Stores one byte under the key. */
  put(key: string): Promise<void>;
  /** Sets the time of every file in the storage to `ms` ago. */
  age(ms: number): Promise<void>;
  /** Stores bytes and a manifest without a record. */
  storedUpload(id?: string, more?: Partial<Manifest>): Promise<{ id: string; fencingToken: string }>;
  /** Undefined if there is no record. */
  stateOf(id: string): Promise<string | undefined>;
  redisNowMs(): Promise<number>;
}

/** The signal of a sweep that is never stopped. */
export const NEVER = new AbortController().signal;

/** Opens the parts. The caller closes them. */
export async function openJanitorSpace(): Promise<JanitorSpace> {
  const [space, temp] = await Promise.all([openRecordSpace(await sharedRedis()), openTempStorage()]);
  const sets = new UploadSets(space.connection, space.keys);
  const permits: string[] = [];
  const queue = { add: async (kind: string) => void permits.push(kind), has: async () => true };
  const put = async (key: string) => await putObject(temp.storage, key, Buffer.from('x'));
  return {
    ...space,
    ...temp,
    sets,
    permits,
    queue,
    put,
    parts: (records = space.records) => ({
      records,
      sets,
      queue,
      storage: temp.storage,
      log: silentLog,
      uploadExpiryMs: 0,
    }),
    async age(ms) {
      const then = new Date(Date.now() - ms);
      for (const path of temp.files()) await utimes(join(temp.directory, path), then, then);
    },
    async storedUpload(id = randomUUID(), more = {}) {
      const fencingToken = more.fencingToken ?? randomUUID();
      await put(originalKey(id, fencingToken));
      const manifest = manifestOf(id, fencingToken, more);
      await putObject(temp.storage, manifest.key, manifest.bytes);
      return { id, fencingToken };
    },
    stateOf: async (id) => (await space.records.read(id))?.record.state,
    async redisNowMs() {
      const [seconds = 0, microseconds = 0] = (await space.connection.time()).map(Number);
      return Math.floor(seconds * 1000 + microseconds / 1000);
    },
    async close() {
      await Promise.all([space.close(), temp.remove()]);
    },
  };
}

function manifestOf(id: string, fencingToken: string, more: Partial<Manifest>) {
  const { type, sha256, options } = STORED;
  return manifestObject({
    id,
    fencingToken,
    publicId: `p-${id}`,
    name: 'a.jpg',
    type,
    sizeBytes: 1,
    sha256,
    options,
    createdAt: new Date(0).toISOString(),
    ...more,
  });
}
