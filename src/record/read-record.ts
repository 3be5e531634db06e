import type { QueueKeys } from '../queue/contract.ts';
import type { Result } from '../wire/documents.ts';
import { loadScript } from '../queue/load-script.ts';
import type { ProgressState } from './progress.ts';
import type { RecordStore } from './record-change.ts';
import {
  decodeExpiry,
  decodeProgress,
  decodeRecord,
  nameFields,
  parseResult,
  PROGRESS_FIELDS,
  type UploadRecord,
} from './record-fields.ts';
import { SharedReads } from './shared-reads.ts';

const POSITIONS_SCRIPT = loadScript(new URL('../queue/scripts/positions.lua', import.meta.url));

/** A record and its position in the queue, as read at one moment. */
export interface ReadRecord {
  record: UploadRecord;
  /** Position in the queue, from 1; null unless queued. */
  queuePosition: number | null;
  /** Time of the read, by Redis' clock. */
  nowMs: number;
}

/** A record with its result, which is null too if somebody has removed it from Redis. */
export type RecordWithResult = UploadRecord & { result: Result | null };

/** A record that was read with its result. */
export interface ReadWithResult extends ReadRecord {
  record: RecordWithResult;
}

/** False if the result has a key of its own and was not read. */
export function hasResult(read: ReadRecord): read is ReadWithResult {
  return read.record.result !== undefined;
}

/** Returns the same with this result, unless the record has one. */
export function withResult({ record, ...read }: ReadRecord, result: Result | null): ReadWithResult {
  return { ...read, record: { ...record, result: record.result ?? result } };
}

/** Wraps a record that a change returned. It has no position in the queue. */
export function asSeen(record: UploadRecord): ReadRecord {
  return { record, queuePosition: null, nowMs: record.updatedAtMs };
}

/** The fields that progress is computed from, as read at one moment. */
export interface ReadProgress {
  state: ProgressState;
  /** Position in the queue, from 1; null unless queued. */
  queuePosition: number | null;
  /** Time of the read, by Redis' clock. */
  nowMs: number;
  /** Null until final. */
  expiresAtMs: number | null;
}

/** The parts that reading records needs. */
export interface RecordReads {
  store: Pick<RecordStore, 'readHash' | 'readFieldsOf' | 'runScript' | 'get'>;
  keys: Pick<QueueKeys, 'record' | 'result' | 'fair'>;
  /** Returns the time by Redis' clock. */
  nowMs: () => number;
}

/**
 * A queued upload without a position is read at most this many times: a worker may take it and requeue it between two
 * reads. A record without its result is also read at most this many times.
 */
const MAX_READS = 4;

/**
 * Reads whole records, except results that have keys of their own. The returned list has undefined for an upload that
 * does not exist, `deleted: true` for a deleted one, and an error for a record that cannot be read.
 */
export async function readRecordsOf(
  reads: RecordReads,
  ids: readonly string[],
): Promise<(ReadRecord | undefined | Error)[]> {
  return await Promise.all(ids.map((id) => readRecord(reads, id).catch(asError)));
}

async function readRecord(reads: RecordReads, id: string): Promise<ReadRecord | undefined> {
  for (let count = 1; ; count += 1) {
    const fields = await reads.store.readHash(reads.keys.record(id));
    if (fields['state'] === undefined) return undefined;
    const record = decodeRecord(id, fields);
    const [queuePosition = null] = record.state === 'queued' ? await readPositions(reads, [id]) : [];
    // Record and position are two reads: a worker may have taken the upload between them.
    const isOfTwoMoments = record.state === 'queued' && queuePosition === null;
    if (!isOfTwoMoments || count === MAX_READS) return { record, queuePosition, nowMs: reads.nowMs() };
  }
}

/** Like `readRecordsOf`, with the results. A result that has a key of its own takes a second round trip. */
export async function readWithResultsOf(
  reads: RecordReads,
  ids: readonly string[],
): Promise<(ReadWithResult | undefined | Error)[]> {
  return await Promise.all(ids.map((id) => readOneWithResult(reads, id).catch(asError)));
}

async function readOneWithResult(reads: RecordReads, id: string): Promise<ReadWithResult | undefined> {
  for (let count = 1; ; count += 1) {
    const read = await readRecord(reads, id);
    if (read === undefined || hasResult(read)) return read;
    const json = await reads.store.get(reads.keys.result(id));
    // The upload may have been deleted between both reads.
    if (json !== null || count === MAX_READS) return withResult(read, parseResult(json));
  }
}

/** Returns the positions of waiting uploads; null for an upload that does not wait. */
async function readPositions({ store, keys }: RecordReads, ids: readonly string[]): Promise<(number | null)[]> {
  const reply = await store.runScript(POSITIONS_SCRIPT, [keys.fair], [keys.record(''), ...ids]);
  const ranks: unknown[] = Array.isArray(reply) ? reply : [];
  return ids.map((_, index) => (typeof ranks[index] === 'number' ? ranks[index] + 1 : null));
}

/**
 * Reads only the fields that progress is computed from, which costs a tenth of a whole record. All ids take one round
 * trip, or two if some are queued. A record that cannot be decoded has its error in its place.
 */
export async function readProgressOf(
  reads: RecordReads,
  ids: readonly string[],
): Promise<(ReadProgress | undefined | Error)[]> {
  const { store, keys, nowMs } = reads;
  const found: (ReadProgress | undefined | Error)[] = [];
  let unsettled = [...ids.keys()];
  for (let count = 1; count <= MAX_READS && unsettled.length > 0; count += 1) {
    const idOf = (index: number): string => ids[index] ?? '';
    const values = await store.readFieldsOf(
      unsettled.map((index) => keys.record(idOf(index))),
      PROGRESS_FIELDS,
    );
    for (const [at, index] of unsettled.entries())
      found[index] = decodeReadProgress(idOf(index), values[at] ?? [], nowMs());
    const queued = unsettled.filter((index) => isQueued(found[index]));
    const positions = queued.length === 0 ? [] : await readPositions(reads, queued.map(idOf));
    for (const [at, index] of queued.entries()) found[index] = withPosition(found[index], positions[at] ?? null);
    unsettled = queued.filter((_, at) => positions[at] === null);
  }
  return found;
}

function decodeReadProgress(
  id: string,
  values: readonly (string | null)[],
  nowMs: number,
): ReadProgress | undefined | Error {
  try {
    const fields = nameFields(PROGRESS_FIELDS, values);
    if (fields['state'] === undefined) return undefined;
    return { state: decodeProgress(id, fields), queuePosition: null, nowMs, expiresAtMs: decodeExpiry(fields) };
  } catch (error) {
    return asError(error);
  }
}

function isQueued(read: ReadProgress | undefined | Error): boolean {
  return read !== undefined && !(read instanceof Error) && read.state.state === 'queued';
}

function withPosition(
  read: ReadProgress | undefined | Error,
  queuePosition: number | null,
): ReadProgress | undefined | Error {
  return read === undefined || read instanceof Error ? read : { ...read, queuePosition };
}

/** Returns one `SharedReads` for each way to read a record. */
export function shareReads(reads: RecordReads) {
  return {
    whole: new SharedReads((ids) => readRecordsOf(reads, ids)),
    withResult: new SharedReads((ids) => readWithResultsOf(reads, ids)),
    progress: new SharedReads((ids) => readProgressOf(reads, ids)),
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
