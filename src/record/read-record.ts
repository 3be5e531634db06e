import type { QueueKeys } from '../queue/contract.ts';
import type { ProgressState } from './progress.ts';
import type { RecordStore } from './record-change.ts';
import {
  decodeExpiry,
  decodeProgress,
  decodeRecord,
  nameFields,
  PROGRESS_FIELDS,
  type UploadRecord,
} from './record-fields.ts';

/** A record and its place among the waiting, as read at one moment. */
export interface ReadRecord {
  record: UploadRecord;
  /** 1 is next; null unless queued. */
  queuePosition: number | null;
  /** When it was read, by the clock of Redis. */
  nowMs: number;
}

/** The part of a record that progress is told from, as read at one moment. */
export interface ReadProgress {
  state: ProgressState;
  /** 1 is next; null unless queued. */
  queuePosition: number | null;
  /** When it was read, by the clock of Redis. */
  nowMs: number;
  /** Null until final. */
  expiresAtMs: number | null;
}

/** Where records are read. */
export interface RecordReads {
  store: Pick<RecordStore, 'readHash' | 'readFields' | 'rankIn'>;
  keys: Pick<QueueKeys, 'record' | 'waiting'>;
  /** By the clock of Redis. */
  nowMs: () => number;
}

/** So often an upload is taken up just between its record and its place, and handed back, before it is told without a place. */
const MAX_READS = 4;

/** Undefined where there is no such upload; a tombstone comes back with `deleted: true`. */
export async function readRecord({ store, keys, nowMs }: RecordReads, id: string): Promise<ReadRecord | undefined> {
  return await atOneMoment(
    async () => {
      const { fields, rank } = await store.readHash(keys.record(id), keys.waiting, id);
      if (fields['state'] === undefined) return undefined;
      return { record: decodeRecord(id, fields), queuePosition: positionOf(rank), nowMs: nowMs() };
    },
    ({ record }) => record,
  );
}

/** As `readRecord`, of the part that progress is told from alone: a tenth of the work, for the commonest question. */
export async function readProgress({ store, keys, nowMs }: RecordReads, id: string): Promise<ReadProgress | undefined> {
  return await atOneMoment(
    async () => {
      const fields = nameFields(PROGRESS_FIELDS, await store.readFields(keys.record(id), PROGRESS_FIELDS));
      if (fields['state'] === undefined) return undefined;
      const state = decodeProgress(id, fields);
      const rank = state.state === 'queued' ? await store.rankIn(keys.waiting, id) : null;
      return { state, queuePosition: positionOf(rank), nowMs: nowMs(), expiresAtMs: decodeExpiry(fields) };
    },
    ({ state }) => state,
  );
}

/** Record and place are two reads. Where a worker took the upload up between them, what was read first is not true any more. */
async function atOneMoment<Read extends { queuePosition: number | null }>(
  read: () => Promise<Read | undefined>,
  stateOf: (found: Read) => Pick<ProgressState, 'state'>,
): Promise<Read | undefined> {
  for (let reads = 1; ; reads += 1) {
    const found = await read();
    const isOfTwoMoments = found !== undefined && stateOf(found).state === 'queued' && found.queuePosition === null;
    if (!isOfTwoMoments || reads === MAX_READS) return found;
  }
}

function positionOf(rank: number | null): number | null {
  return rank === null ? null : rank + 1;
}
