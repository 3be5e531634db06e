import type { DerivedFile, Problem, Result, UploadState, Variant } from '../wire/documents.ts';
import type { ProgressState } from './progress.ts';

/** A derived file that can be served: where it lies, and what its HTTP answer needs. */
export interface StoredVariant extends DerivedFile, Partial<Pick<Variant, 'width' | 'height'>> {
  name: string;
  format: string;
  key: string;
  /** Media type; `image/{format}` where there is none. */
  type?: string;
  /** True for a file to be saved, not shown. */
  isAttachment?: boolean;
  /** Lower-case hex SHA-256 of the bytes. */
  sha256: string;
}

/** Names and values of tus' `Upload-Metadata`; a name without a value has null. */
export type UploadMetadata = Readonly<Record<string, string | null>>;

/** Everything that Redis knows of an upload. Times are milliseconds since 1970. */
export interface UploadRecord extends ProgressState {
  /** Names the request whose bytes count; a later PUT brings a new one. */
  fencingToken: string;
  fileName: string;
  /** Sniffed media type, null until known. */
  type: string | null;
  /** Lower-case hex, null until stored, or until a worker is through with it where that is left to workers. */
  sha256: string | null;
  options: unknown;
  /** What a resumable upload was announced with; null for one that comes in a single request. */
  metadata: UploadMetadata | null;
  result: Result | null;
  error: Problem | null;
  variants: Readonly<Record<string, StoredVariant>>;
  /** Attempts of this life that a fault of ours has ended. */
  faults: number;
  /** Attempts of this life that ended without a word: their process died, or was paused until another took over. */
  deaths: number;
  /** More than one request or attempt has had it in hand: one that does not know of the others may still write files. */
  concurrentWriters: boolean;
  createdAtMs: number;
  /** Null until final. */
  expiresAtMs: number | null;
}

/** True once the retention of a final upload is over, whether or not its files were removed yet. */
export function isExpired(record: Pick<UploadRecord, 'expiresAtMs'>, nowMs: number): boolean {
  return record.expiresAtMs !== null && record.expiresAtMs <= nowMs;
}

/** Field names and values as they lie in the hash, or in an event. */
export type RecordFields = Record<string, string>;

/** Pairs a flat `HGETALL` reply. */
export function pairFields(flat: readonly string[]): RecordFields {
  const fields: RecordFields = {};
  for (let index = 0; index + 1 < flat.length; index += 2) {
    fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  }
  return fields;
}

/** What `decodeProgress` reads of a hash, and what tells that its retention is over. */
export const PROGRESS_FIELDS = [
  'publicId',
  'state',
  'version',
  'percent',
  'stage',
  'received',
  'total',
  'attempt',
  'attemptBase',
  'updatedAt',
  'phaseStartedAt',
  'phasePercent',
  'stored',
  'deleted',
  'expiresAt',
] as const;

/** Puts values beside the names they were asked for under; those that the hash has not are left out. */
export function nameFields(names: readonly string[], values: readonly (string | null)[]): RecordFields {
  const fields: RecordFields = {};
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (typeof value === 'string') fields[name] = value;
  }
  return fields;
}

/** Milliseconds since 1970; null until final. */
export function decodeExpiry(fields: RecordFields): number | null {
  return numberOrNull(fields['expiresAt']);
}

/** The progress part; `id` is not among an event's fields, since the event names it already. */
export function decodeProgress(id: string, fields: RecordFields): ProgressState {
  return {
    id,
    publicId: fields['publicId'] ?? '',
    state: decodeState(fields['state']),
    version: Number(fields['version']),
    percent: Number(fields['percent']),
    stage: fields['stage'] ?? '',
    receivedBytes: Number(fields['received'] ?? 0),
    totalBytes: numberOrNull(fields['total']),
    attempt: Number(fields['attempt'] ?? 0),
    attemptBase: Number(fields['attemptBase'] ?? 0),
    updatedAtMs: Number(fields['updatedAt']),
    phaseStartedAtMs: Number(fields['phaseStartedAt']),
    phaseStartPercent: Number(fields['phasePercent'] ?? 0),
    stored: fields['stored'] === '1',
    deleted: fields['deleted'] === '1',
    ...(fields['at'] === undefined ? {} : { eventAtMs: Number(fields['at']) }),
  };
}

/** The whole record. */
export function decodeRecord(id: string, fields: RecordFields): UploadRecord {
  return {
    ...decodeProgress(id, fields),
    // The stored name of the field is older than the term.
    fencingToken: fields['receipt'] ?? '',
    fileName: fields['name'] ?? '',
    type: fields['type'] ?? null,
    sha256: fields['sha256'] || null,
    options: parse<unknown>(fields['options']) ?? {},
    metadata: parse<UploadMetadata>(fields['metadata']),
    result: parse<Result>(fields['result']),
    error: parse<Problem>(fields['error']),
    variants: parse<Record<string, StoredVariant>>(fields['variants']) ?? {},
    faults: Number(fields['faults'] ?? 0),
    deaths: Number(fields['deaths'] ?? 0),
    concurrentWriters: fields['strewn'] === '1',
    createdAtMs: Number(fields['createdAt']),
    expiresAtMs: decodeExpiry(fields),
  };
}

const STATES: Readonly<Record<string, UploadState>> = {
  receiving: 'receiving',
  queued: 'queued',
  processing: 'processing',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  discarded: 'discarded',
};

function decodeState(word: string | undefined): UploadState {
  const state = STATES[word ?? ''];
  if (state === undefined) throw new Error(`a record without a state: ${String(word)}`);
  return state;
}

function numberOrNull(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : Number(text);
}

/** Records are written by this service alone, so their JSON is what its type says. */
function parse<T>(json: string | undefined): T | null {
  return json === undefined || json === '' ? null : (JSON.parse(json) as T);
}
