import type { Problem, QuotaName, UploadState } from './wire/base-schemas.ts';

/**
 * Every error that a client can receive. The code is part of the contract: clients switch on it. The title is for
 * people.
 */
const ERRORS = {
  bad_request: [400, 'Malformed request'],
  bad_upload_id: [400, 'Invalid upload id'],
  bad_timeout: [400, 'Invalid timeout'],
  bad_since: [400, 'Invalid version'],
  bad_options: [400, 'Invalid options'],
  bad_metadata: [400, 'Invalid metadata'],
  bad_multipart: [400, 'Malformed multipart body'],
  missing_boundary: [400, 'Missing multipart boundary'],
  no_file: [400, 'No file in the request'],
  empty_file: [400, 'Empty file'],
  bad_digest: [400, 'Malformed digest'],
  digest_mismatch: [400, 'Digest does not match'],
  body_cut_short: [400, 'Body ended too early'],
  import_refused: [400, 'Address not allowed'],
  bad_parts: [400, 'Wrong parts'],
  upload_interrupted: [400, 'Upload interrupted'],
  unauthorized: [401, 'Not authorized'],
  ticket_required: [401, 'Ticket required'],
  ticket_invalid: [401, 'Invalid ticket'],
  ticket_expired: [401, 'Ticket expired'],
  ticket_forbids: [403, 'Not allowed by the ticket'],
  foreign_origin: [403, 'Origin not allowed'],
  unknown_upload: [404, 'Unknown upload'],
  unknown_variant: [404, 'Unknown variant'],
  unknown_job: [404, 'Unknown job'],
  unknown_delivery: [404, 'Unknown delivery'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  request_timeout: [408, 'Request too slow'],
  upload_too_slow: [408, 'Upload too slow'],
  upload_conflict: [409, 'Another file has this id'],
  offset_conflict: [409, 'Wrong upload offset'],
  no_direct_upload: [409, 'No parts expected'],
  upload_superseded: [409, 'Taken over by a later request'],
  content_not_stored: [409, 'Content not stored yet'],
  upload_unfinished: [409, 'Upload not finished'],
  no_ticket_key: [409, 'No key to sign tickets'],
  not_retryable: [409, 'Upload cannot be retried'],
  upload_gone: [410, 'Upload gone'],
  upload_cancelled: [410, 'Upload cancelled'],
  upload_discarded: [410, 'Upload discarded'],
  precondition_failed: [412, 'Precondition failed'],
  unsupported_tus_version: [412, 'Tus version not supported'],
  file_too_large: [413, 'File too large'],
  archive_too_large: [413, 'Archive too large'],
  request_too_large: [413, 'Request too large'],
  too_many_files: [413, 'Too many files'],
  too_many_fields: [413, 'Too many fields'],
  field_too_large: [413, 'Field too large'],
  not_offset_stream: [415, 'Wrong content type of a tus request'],
  not_multipart: [415, 'Not a multipart request'],
  unsupported_encoding: [415, 'Encoding not supported'],
  unsupported_media_type: [415, 'File type not accepted'],
  range_not_satisfiable: [416, 'Range not satisfiable'],
  upload_locked: [423, 'Upload in use'],
  expectation_failed: [417, 'Expectation not met'],
  misdirected_host: [421, 'Unknown host'],
  picture_damaged: [422, 'Picture damaged'],
  picture_too_large: [422, 'Picture too large'],
  picture_too_costly: [422, 'Picture variants too large'],
  picture_unsupported: [422, 'Picture format not supported'],
  picture_timeout: [422, 'Picture took too long'],
  table_damaged: [422, 'Table damaged'],
  table_encrypted: [422, 'Table encrypted'],
  table_line_too_long: [422, 'Table line too long'],
  table_too_large: [422, 'Table too large'],
  picture_crashes_worker: [422, 'Picture crashes its processor'],
  job_failed: [422, 'Job failed'],
  import_failed: [422, 'File could not be fetched'],
  file_damaged: [422, 'File damaged'],
  file_timeout: [422, 'File took too long'],
  file_too_costly: [422, 'File needs too much memory or space'],
  file_crashes_worker: [422, 'File crashes its processor'],
  headers_too_large: [431, 'Headers too large'],
  too_many_held: [503, 'Too many held responses'],
  too_many_held_by_address: [429, 'Too many held responses from one address'],
  internal_error: [500, 'Internal error'],
  body_consumed: [500, 'Body read by other code'],
  processing_failed: [500, 'Processing failed'],
  queue_full: [503, 'Queue full'],
  too_many_queued_by_address: [429, 'Too many waiting uploads from one address'],
  too_many_records: [503, 'Too many stored uploads'],
  too_many_records_by_address: [429, 'Too many stored uploads from one address'],
  quota_exceeded: [429, 'Quota used up'],
  too_many_refusals: [429, 'Too many failed sign-ins'],
  too_many_uploads: [503, 'Too many uploads at once'],
  too_many_uploads_by_address: [429, 'Too many uploads from one address'],
  no_direct_uploads: [501, 'No uploads straight to the bucket'],
  no_resumable_uploads: [501, 'No resumable uploads of the IETF'],
  unsupported_tus_extension: [501, 'Tus extension not supported'],
  service_unavailable: [503, 'Service unavailable'],
  deferred_timeout: [503, 'No result in time'],
  executor_full: [503, 'Executor full'],
  task_discarded: [503, 'Task evicted'],
  shutting_down: [503, 'Shutting down'],
  storage_unavailable: [503, 'Storage unavailable'],
  storage_full: [507, 'Storage full'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** A code of the table above. */
export type ErrorCode = keyof typeof ERRORS;

/** All codes, for documentation and its test. */
export const ERROR_CODES = Object.keys(ERRORS) as readonly ErrorCode[];

/** True for a code of the table. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** Failures that every kind of file can have. */
type KindEnd = 'timeout' | 'crashes_worker';

/**
 * Returns the code of such a failure: `picture_timeout` if the table has one for the kind, otherwise `file_timeout`.
 */
export function codeOfKind(kind: string, end: KindEnd): ErrorCode {
  const own = `${kind}_${end}`;
  return isErrorCode(own) ? own : `file_${end}`;
}

/** Returns the HTTP status of a code. */
export function statusOf(code: ErrorCode): number {
  return ERRORS[code][0];
}

/**
 * Returns the status for an error that is the final outcome of an upload. 408, 429, 503 and 507 mean that the request
 * should be repeated. A generic client would repeat its request for the outcome for ever, so they are replaced.
 */
export function outcomeStatus(status: number): number {
  if (status === 408) return 400;
  return status === 429 || status > 500 ? 500 : status;
}

/** Returns the title of a code. */
export function titleOf(code: ErrorCode): string {
  return ERRORS[code][1];
}

/** The optional parts of an error. */
export interface ServiceErrorOptions {
  /** A status that a protocol asks for in place of the one of the code. */
  status?: number;
  /** The upload that the error is about. */
  id?: string;
  /** The upload's final state, if the error is its outcome. */
  state?: UploadState;
  /** The quota that is used up. */
  limit?: QuotaName;
  /** Sent as `Retry-After` with jitter, rounded up to whole seconds. */
  retryAfterMs?: number;
  /** Extra headers of the answer, such as `Allow`. */
  headers?: Record<string, string>;
  /** Only for the log. It is never sent to the client. */
  cause?: unknown;
}

/**
 * An error that is sent to the client. `detail` is sent unchanged. It says what happened and what the client can do,
 * and never contains a path, a key or a stack.
 */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly id: string | undefined;
  readonly state: UploadState | undefined;
  readonly limit: QuotaName | undefined;
  readonly retryAfterMs: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, detail: string, options: ServiceErrorOptions = {}) {
    super(detail, { cause: options.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.status = options.status ?? statusOf(code);
    this.id = options.id;
    this.state = options.state;
    this.limit = options.limit;
    this.retryAfterMs = options.retryAfterMs;
    this.headers = options.headers ?? {};
  }
}

/** Problem types are relative references (RFC 9457 section 3.1.1) to the list in the API reference. */
const TYPE_PREFIX = '/problems/';

/** Returns the problem document of an error. */
export function toProblem(error: ServiceError, id: string | undefined = error.id): Problem {
  return {
    ...problemOf(error.code, error.message, id),
    status: error.status,
    ...(error.limit === undefined ? {} : { limit: error.limit }),
    ...(error.state === undefined ? {} : { state: error.state, final: true }),
  };
}

/** Returns the same error as the final outcome of an upload. */
export function asOutcome(error: ServiceError, id: string, state: UploadState): ServiceError {
  const { code, message, limit, retryAfterMs, headers, cause } = error;
  return new ServiceError(code, message, {
    id,
    state,
    headers,
    cause,
    ...(limit === undefined ? {} : { limit }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Returns the problem document of a code. */
export function problemOf(code: ErrorCode, detail: string, id?: string): Problem {
  const problem = { type: `${TYPE_PREFIX}${code}`, title: titleOf(code), status: statusOf(code), detail, code };
  return id === undefined ? problem : { ...problem, id };
}
