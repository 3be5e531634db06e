import type { AllowedFile, JsonObject, Lane, TenantLimits } from '../access/caller.ts';
import { uploadStateSchema, type UploadState } from '../wire/base-schemas.ts';
import type { DerivedFile, Problem, Result, Variant } from '../wire/documents.ts';
import type { ProgressState } from './progress.ts';

/** A derived file that can be served: its storage key, and the properties that its HTTP response needs. */
export interface StoredVariant extends DerivedFile, Partial<Pick<Variant, 'width' | 'height'>> {
  name: string;
  format: string;
  key: string;
  /** Media type. Default: `image/{format}`. */
  type?: string;
  /** True if browsers should save the file, not show it. */
  isAttachment?: boolean;
  /** Lower-case hex SHA-256 of the bytes. */
  sha256: string;
}

/** Names and values of tus' `Upload-Metadata`. A name without a value has null. */
export type UploadMetadata = Readonly<Record<string, string | null>>;

/** How the bytes of a receiving upload arrive, if no request brings them to this service. */
export type Road = DirectRoad | ImportRoad;

/** A road on which the sender puts the parts into the bucket. */
export interface DirectRoad {
  name: 'direct';
  /** The id of the multipart upload, which the bucket has given. */
  uploadId: string;
  /** Bytes of each part except the last one. */
  partBytes: number;
}

/** A road on which a worker fetches the bytes. */
export interface ImportRoad {
  name: 'import';
  url: string;
}

/** All fields of an upload's record. Times are milliseconds since 1970. */
export interface UploadRecord extends ProgressState {
  /** Identifies the request whose bytes count. A later PUT has a new one, which fences the earlier request. */
  fencingToken: string;
  /**
   * The version with which the upload began, or began again after its last end. A failure without stored bytes is no
   * such end. Null in records of earlier releases.
   */
  lifeVersion: number | null;
  /** The tokens of the last requests that were rejected. Their files are not queued any more. */
  fencedTokens: readonly string[];
  fileName: string;
  /** Sniffed media type; null until known. */
  type: string | null;
  /** Lower-case hex; null until stored, or until a worker has computed it. */
  sha256: string | null;
  /** Lower-case hex; the digest that the file must have. Null if the sender has announced none that must be checked. */
  announcedSha256: string | null;
  /** How the bytes come in. Null if they come through this service, and once they are stored. */
  road: Road | null;
  /** Times that a worker has begun to fetch the bytes; 0 when the first attempt at processing begins. */
  fetches: number;
  options: unknown;
  /** The metadata of a resumable upload; null for an upload that comes in one request. */
  metadata: UploadMetadata | null;
  /** Null if the upload was created in open mode. */
  tenant: string | null;
  lane: Lane;
  /** Share of the tenant in the queue when the upload was created. */
  weight: number;
  /** The limits of the tenant when the upload was opened; null unless it is receiving. */
  limits: TenantLimits | null;
  /** True if the tenant had an endpoint for webhooks when the upload was created. */
  hasWebhooks: boolean;
  /** The metadata that the application gave to the upload. */
  appMetadata: JsonObject | null;
  /** The limits of the ticket that created the upload; null if it had none for files. */
  allowed: AllowedFile | null;
  /** Null unless completed. Undefined if the result has a key of its own, see `readWithResult`. */
  result: Result | null | undefined;
  error: Problem | null;
  variants: Readonly<Record<string, StoredVariant>>;
  /** Attempts that ended by a fault of the service, since the upload was last sent. */
  faults: number;
  /** Attempts that ended without a report, since the upload was last sent: their process died or was paused. */
  deaths: number;
  /**
   * True if a request or attempt may have left files, because it ended without completing the upload or because another
   * one took over. Until it notices that, it may still write.
   */
  mayHaveOrphans: boolean;
  createdAtMs: number;
  /** Null until final. */
  expiresAtMs: number | null;
  /** The request that sent the upload, for the log of the worker; null if unknown. */
  requestId: string | null;
  /** The permit of the running attempt; null without one. */
  permit: { kind: string; id: string } | null;
}

/** True if the retention time of a final upload is over, even if its files still exist. */
export function isExpired(record: Pick<UploadRecord, 'expiresAtMs'>, nowMs: number): boolean {
  return record.expiresAtMs !== null && record.expiresAtMs <= nowMs;
}

/** True if an upload was deleted or has expired. Its files are removed, or soon will be. */
export function isGone(record: Pick<UploadRecord, 'deleted' | 'expiresAtMs'>, nowMs: number): boolean {
  return record.deleted || isExpired(record, nowMs);
}

/**
 * Failures that may come from the machine or the program. The file may succeed after an upgrade, a repair, or with
 * other limits.
 */
const RETRYABLE_CODES: ReadonlySet<string> = new Set([
  'processing_failed',
  'picture_timeout',
  'picture_crashes_worker',
  'file_timeout',
  'file_too_costly',
  'file_crashes_worker',
]);

/** True if an operator may have the failed upload processed again. */
export function isRetryable({ code }: Problem): boolean {
  return RETRYABLE_CODES.has(code);
}

/** Returns the JSON of a problem that is the final outcome of an upload. */
export function failedJson(error: Problem): string {
  return JSON.stringify({ ...error, state: 'failed', final: true });
}

/** Names and values of a record's hash, or of an event. */
export type RecordFields = Record<string, string>;

/** Turns a flat `HGETALL` reply into an object. */
export function pairFields(flat: readonly string[]): RecordFields {
  const fields: RecordFields = {};
  for (let index = 0; index + 1 < flat.length; index += 2) {
    fields[flat[index] ?? ''] = flat[index + 1] ?? '';
  }
  return fields;
}

/** The fields that `decodeProgress` and `decodeExpiry` read. */
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
  'trace',
  'expiresAt',
] as const;

/** Combines names and values; fields that the hash does not have are left out. */
export function nameFields(names: readonly string[], values: readonly (string | null)[]): RecordFields {
  const fields: RecordFields = {};
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (typeof value === 'string') fields[name] = value;
  }
  return fields;
}

/** Returns milliseconds since 1970; null until final. */
export function decodeExpiry(fields: RecordFields): number | null {
  return numberOrNull(fields['expiresAt']);
}

/** Decodes the progress fields. An event has no field `id`, so it is passed in. */
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
    ...(fields['trace'] === undefined ? {} : { trace: fields['trace'] }),
    ...(fields['at'] === undefined ? {} : { eventAtMs: Number(fields['at']) }),
  };
}

/** Decodes a whole record, except a result that has a key of its own. */
export function decodeRecord(id: string, fields: RecordFields): UploadRecord {
  return {
    ...decodeProgress(id, fields),
    // The stored field has an older name.
    fencingToken: fields['receipt'] ?? '',
    lifeVersion: numberOrNull(fields['lifeVersion']),
    fencedTokens: fields['fenced']?.split(' ') ?? [],
    fileName: fields['name'] ?? '',
    type: fields['type'] ?? null,
    sha256: fields['sha256'] || null,
    announcedSha256: fields['announcedSha256'] || null,
    road: parse<Road>(fields['road']),
    fetches: Number(fields['fetches'] ?? 0),
    options: parse<unknown>(fields['options']) ?? {},
    metadata: parse<UploadMetadata>(fields['metadata']),
    tenant: fields['tenant'] || null,
    lane: fields['lane'] === 'batch' ? 'batch' : 'live',
    weight: Number(fields['weight'] || 1),
    limits: parse<TenantLimits>(fields['limits']),
    hasWebhooks: fields['hooks'] === '1',
    appMetadata: parse<JsonObject>(fields['appMetadata']),
    allowed: parse<AllowedFile>(fields['allowed']),
    result: decodeResult(fields),
    error: parse<Problem>(fields['error']),
    variants: parse<Record<string, StoredVariant>>(fields['variants']) ?? {},
    faults: Number(fields['faults'] ?? 0),
    deaths: Number(fields['deaths'] ?? 0),
    mayHaveOrphans: fields['strewn'] === '1',
    createdAtMs: Number(fields['createdAt']),
    expiresAtMs: decodeExpiry(fields),
    requestId: fields['requestId'] || null,
    permit: decodePermit(fields['permit']),
  };
}

function decodeResult({ result, resultBytes }: RecordFields): Result | null | undefined {
  return result === undefined && resultBytes !== undefined ? undefined : parseResult(result ?? null);
}

/** Parses the JSON of a result; null if there is none. */
export function parseResult(json: string | null): Result | null {
  return parse<Result>(json ?? undefined);
}

function decodePermit(text = ''): UploadRecord['permit'] {
  const space = text.indexOf(' ');
  return space < 0 ? null : { kind: text.slice(0, space), id: text.slice(space + 1) };
}

function decodeState(word: string | undefined): UploadState {
  const state = uploadStateSchema.options.find((known) => known === word);
  if (state === undefined) throw new Error(`a record without a state: ${String(word)}`);
  return state;
}

function numberOrNull(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : Number(text);
}

/** Parses JSON, which has the expected type because only this service writes records. */
function parse<T>(json: string | undefined): T | null {
  return json === undefined || json === '' ? null : (JSON.parse(json) as T);
}
