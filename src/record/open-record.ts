import { randomBytes } from 'node:crypto';
import type { AllowedFile, Caller } from '../access/caller.ts';
import type { ChangeOutcome } from './change-outcome.ts';
import type { QueueLimits, RecordChanger } from './record-change.ts';
import { queuedPercent } from './progress.ts';
import type { RecordBounds } from './record-count.ts';
import type { UploadMetadata, UploadRecord } from './record-fields.ts';
import { openingJson, ownerFields, ownerOfCaller, type Owner } from './ownership.ts';

/** The facts about a file that are known before its first bytes are read. */
export interface NewUpload {
  id: string;
  fencingToken: string;
  fileName: string;
  totalBytes: number | null;
  /**
   * The options as the client sent them, `{}` if it sent none. They are checked once the type is known; see
   * `keptOptions`.
   */
  options?: unknown;
  /** Set by protocols in which a sender may pause for long. Default: `RecordOptions.silenceMs`. */
  silenceMs?: number;
  /** If present, the upload is resumable: several requests may send it. */
  metadata?: UploadMetadata;
  /** Default: the upload has no tenant, as in open mode. */
  caller?: Owner & Pick<Caller, 'refusal'>;
  /** True if the upload is opened only to be rejected, because a limit is reached. It does not count then. */
  isRefused?: boolean;
}

/** The type of a file, and the options for processing it. */
export interface FileKind {
  type: string;
  options: unknown;
}

/** The facts about a file whose bytes are durable. */
export interface StoredUpload extends FileKind {
  sizeBytes: number;
  /** The digest of the file. Null if the worker computes it. */
  sha256: string | null;
  /** The request that sent the file, for the log of the worker. */
  requestId?: string;
  /** Position of the span that queues the upload; undefined while tracing is off. */
  trace?: string | undefined;
  /** True if an earlier request with the id may have left files. Default: false. */
  mayHaveOrphans?: boolean;
}

/** Returns the arguments that every transition to `queued` has for stored bytes. */
export function storedArgs({ sizeBytes, type, sha256, options }: StoredUpload): (string | number | undefined)[] {
  return [sizeBytes, type, sha256 ?? undefined, JSON.stringify(options), queuedPercent()];
}

/** Returns a random public id. */
export function newPublicId(): string {
  return randomBytes(16).toString('base64url');
}

/** A whole file that is stored before it has a record. */
export interface WholeUpload extends Pick<NewUpload, 'id' | 'fencingToken' | 'fileName' | 'caller'> {
  publicId: string;
  createdAtMs: number;
  /** True if this request has made the id, so that nobody can wait for the upload yet. Default: false. */
  hasFreshId?: boolean;
}

/** Returns the arguments of `enqueue` and `accept` from number 7 on. */
export function queuingArgs(
  changer: RecordChanger,
  fencingToken: string,
  stored: StoredUpload,
  limits: QueueLimits | undefined,
): (string | number | undefined)[] {
  return [
    fencingToken,
    ...storedArgs(stored),
    limits === undefined ? undefined : JSON.stringify(limits),
    limits?.address,
    changer.retentionMs,
    changer.kindOf(stored.type),
    stored.requestId,
    stored.trace,
  ];
}

/** Creates the record of a stored upload and queues it. See `UploadRecords.accept`. */
export async function acceptRecord(
  changer: RecordChanger,
  upload: WholeUpload,
  stored: StoredUpload,
  limits: QueueLimits,
  bounds?: RecordBounds,
): Promise<ChangeOutcome> {
  const outcome = await changer.enter('queued', ['receiving'], 'accept', upload.id, [
    ...queuingArgs(changer, upload.fencingToken, stored, limits),
    upload.fileName,
    upload.publicId,
    Math.floor(upload.createdAtMs),
    bounds === undefined ? undefined : JSON.stringify(bounds),
    upload.caller === undefined ? undefined : openingJson(upload.caller),
    allowedJson(upload.caller?.ticket),
    upload.hasFreshId === true ? 1 : undefined,
    stored.mayHaveOrphans === true ? 1 : undefined,
  ]);
  // The reply to a repeated call is the whole record, which may have changed since.
  if (!outcome.applied || outcome.record === undefined || outcome.record.publicId !== '') return outcome;
  return { ...outcome, record: { ...outcome.record, ...sentFields(upload, stored) } };
}

/** Returns the fields of the record that the reply of `accept` leaves out, because they were sent to it. */
function sentFields(upload: WholeUpload, stored: StoredUpload): Partial<UploadRecord> {
  const { owner } = upload.caller === undefined ? {} : ownerOfCaller(upload.caller);
  const allowed = allowedJson(upload.caller?.ticket);
  return {
    publicId: upload.publicId,
    fencingToken: upload.fencingToken,
    fileName: upload.fileName,
    createdAtMs: Math.floor(upload.createdAtMs),
    type: stored.type,
    sha256: stored.sha256,
    options: stored.options,
    requestId: stored.requestId ?? null,
    mayHaveOrphans: stored.mayHaveOrphans === true,
    allowed: allowed === undefined ? null : (JSON.parse(allowed) as AllowedFile),
    ...(stored.trace === undefined ? {} : { trace: stored.trace }),
    ...(owner === undefined ? {} : ownerFields(owner)),
  };
}

/** Returns the limits of a ticket for a file as JSON. Undefined if it has none. */
function allowedJson(ticket: Caller['ticket']): string | undefined {
  const { maxFileBytes, types, preset } = ticket ?? {};
  const json = JSON.stringify({ maxFileBytes, types, preset });
  return json === '{}' ? undefined : json;
}

/** Creates the record, takes over from an earlier request, or starts the upload again. See `UploadRecords.open`. */
export async function openRecord(
  changer: RecordChanger,
  upload: NewUpload,
  limits?: QueueLimits,
  bounds?: RecordBounds,
): Promise<ChangeOutcome> {
  return await changer.enter('receiving', [], 'open', upload.id, [
    upload.fencingToken,
    upload.totalBytes ?? undefined,
    upload.fileName,
    upload.silenceMs,
    upload.metadata === undefined ? undefined : JSON.stringify(upload.metadata),
    JSON.stringify(upload.options ?? {}),
    newPublicId(),
    limits === undefined ? undefined : JSON.stringify(limits),
    bounds === undefined ? undefined : JSON.stringify(bounds),
    changer.silenceMs,
    upload.caller === undefined ? undefined : openingJson(upload.caller, upload.isRefused),
    allowedJson(upload.caller?.ticket),
    upload.caller?.refusal === undefined ? undefined : 1,
  ]);
}
