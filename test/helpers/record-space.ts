import './one-realm.ts';
import { randomUUID } from 'node:crypto';
import type { Result } from '../../src/wire/documents.ts';
import { createLog, type Logger } from '../../src/telemetry/log.ts';
import type { UploadRecord } from '../../src/record/record-fields.ts';
import type { ChangeOutcome } from '../../src/record/change-outcome.ts';
import type { NewUpload } from '../../src/record/open-record.ts';
import { UploadRecords } from '../../src/record/record.ts';
import { closeConnection, openWaitingConnection, RedisRecordStore, type Redis } from '../../src/queue/connection.ts';
import type { RedisPlace } from '../../src/queue/redis-place.ts';
import { TINY_PICTURE } from './results.ts';
import { queueKeys, type PublishCommand, type QueueKeys } from '../../src/queue/contract.ts';

/** A log that writes nothing. */
export const silentLog: Logger = createLog('api', { logLevel: 'silent' });

/** The records of an installation for one test, on a Redis that may be shared. */
export interface RecordSpace {
  readonly records: UploadRecords;
  readonly keys: QueueKeys;
  readonly store: RedisRecordStore;
  /** Reads the keys in Redis. */
  readonly connection: Redis;
  /** Returns the records of another process: same keys, another connection and other nonces. */
  another(): UploadRecords;
  close(): Promise<void>;
}

/** Opens records under a unique prefix. Changes are published as `publish` says. */
export async function openRecordSpace(
  place: RedisPlace,
  retentionMs = 60_000,
  publish?: PublishCommand,
): Promise<RecordSpace> {
  const options = { retentionMs, ...(publish === undefined ? {} : { publish }) };
  const keys = queueKeys(`t-${randomUUID()}`);
  const connections: Redis[] = [];
  const open = (): RedisRecordStore => {
    const connection = openWaitingConnection(place, silentLog);
    connections.push(connection);
    return new RedisRecordStore(connection);
  };
  const store = open();
  await store.ping();
  return {
    records: new UploadRecords(store, keys, options),
    keys,
    store,
    connection: connections[0] as Redis,
    another: () => new UploadRecords(open(), keys, options),
    async close() {
      await Promise.all(connections.map(closeConnection));
    },
  };
}

/** Returns the announcement of a request, with a new id and fencing token. */
export function newUpload(announced: Partial<NewUpload> = {}): NewUpload {
  return { id: randomUUID(), fencingToken: randomUUID(), fileName: 'a.jpg', totalBytes: 1000, ...announced };
}

/** The facts about a stored file, for tests without a file. */
export const STORED = { type: 'image/jpeg', sizeBytes: 1000, sha256: 'a'.repeat(64), options: {} };

/** A complete result of a picture without variants. */
export const RESULT: Result = TINY_PICTURE;

/** A result that is stored in a key of its own. */
export const LARGE_RESULT: Result & { text: string } = { ...TINY_PICTURE, text: 'ü'.repeat(100_000) };

/** Brings a new upload to a state by the same changes as the service. */
export async function uploadIn(
  records: UploadRecords,
  state: UploadRecord['state'],
  announced: Partial<NewUpload> = {},
): Promise<NewUpload & { attempt: number }> {
  const upload = newUpload(announced);
  const { id, fencingToken } = upload;
  applied(await records.open(upload));
  if (state === 'receiving') return { ...upload, attempt: 0 };
  if (state === 'cancelled') applied(await records.cancel(id));
  if (state === 'cancelled') return { ...upload, attempt: 0 };
  applied(await records.enqueue(id, fencingToken, STORED));
  if (state === 'queued') return { ...upload, attempt: 0 };
  const attempt = applied(await records.begin(id)).record?.attempt ?? 0;
  if (state === 'completed') applied(await records.complete(id, attempt, RESULT));
  if (state === 'failed') applied(await records.fail(id, attempt, PROBLEM));
  return { ...upload, attempt };
}

/** The problem of a failed upload. */
export const PROBLEM = {
  type: '/problems/picture_damaged',
  title: 'Picture damaged',
  status: 422,
  detail: 'No.',
  code: 'picture_damaged',
};

/** Returns the outcome of a change that must be applied. Throws if it was rejected. */
export function applied(outcome: ChangeOutcome): Extract<ChangeOutcome, { applied: true }> {
  if (!outcome.applied) throw new Error(`refused: ${outcome.rejection}`);
  return outcome;
}

/** Returns the reason why a change was rejected, or `applied`. */
export function verdict(outcome: ChangeOutcome): string {
  return outcome.applied ? 'applied' : outcome.rejection;
}
