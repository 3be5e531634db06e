import type { Problem } from '../documents.ts';
import { outcomeStatus, problemOf, statusOf, titleOf, type ErrorCode } from '../../errors.ts';
import { acceptedTypes } from '../../kinds/kinds.ts';
import { schemaRef, type SchemaName } from './components.ts';
import { EXAMPLE_ID } from './examples.ts';
import type { Content, Example, Header, Reference, Response, Responses, Schema } from './shapes.ts';

const string: Schema = { type: 'string' };

/** The member `components.headers` of the document. */
export const HEADERS = {
  Location: { description: 'Path of the upload, at the same host.', schema: string },
  'Cache-Control': { description: '`no-store`: the answer is the current state.', schema: string },
  'Retry-After': {
    description: 'Whole seconds to wait before the next try, with jitter so that clients do not retry together.',
    schema: { type: 'integer', minimum: 1 },
  },
  'Preference-Applied': {
    description: 'The `wait` that applies, if `Prefer` asked for one: `wait=20`.',
    schema: string,
  },
  ETag: { description: 'Strong: the same tag means the same bytes.', schema: string },
  'Content-Range': { description: '`bytes 0-99/1234`.', schema: string },
  'Accept-Ranges': { description: '`bytes`.', schema: string },
  'Accept-Encoding': { description: '`identity`: bodies must not be encoded.', schema: string },
  Allow: { description: 'The methods that the address supports.', schema: string },
  'WWW-Authenticate': { description: 'Which kind of token is missing or wrong (RFC 6750, RFC 7617).', schema: string },
  'X-Timed-Out': { description: '`true` for the placeholder.', schema: string },
} as const satisfies Record<string, Header>;

type HeaderName = keyof typeof HEADERS;

/** Returns references to shared headers. */
export function headers(...names: HeaderName[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** Returns a JSON body with this schema. */
export function json(name: SchemaName, examples?: Readonly<Record<string, Example>>): Content {
  return { 'application/json': { schema: schemaRef(name), ...(examples === undefined ? {} : { examples }) } };
}

/** Codes of every operation that reads or writes a record. */
const OF_RECORDS: readonly ErrorCode[] = ['internal_error', 'service_unavailable'];

/** Codes of every deferred operation. */
const OF_DEFERRAL: readonly ErrorCode[] = ['bad_timeout', 'too_many_held_by_address', 'too_many_held', 'shutting_down'];

/** Codes of an upload that is rejected while its bytes arrive, on every road. */
export const RECEIVING_CODES = [
  'file_too_large',
  'unsupported_media_type',
  'unsupported_encoding',
  'storage_full',
  'storage_unavailable',
  'too_many_uploads',
  'too_many_uploads_by_address',
  'queue_full',
  'too_many_queued_by_address',
  'too_many_records',
  'too_many_records_by_address',
  'quota_exceeded',
] as const;

/** Returns the answers with an asset, such as `The page`, and for a client that has it already. */
export function assetAnswers(name: string, mediaType: string, type: string): Record<'200' | '304', Response> {
  return {
    '200': { description: `${name}.`, headers: headers('ETag'), content: { [mediaType]: { schema: { type } } } },
    '304': { description: `${name} has not changed.`, headers: headers('ETag') },
  };
}

/** Returns one response for each status of these codes and of the codes of every operation on records. */
export function problems(...codes: readonly ErrorCode[]): Responses {
  return onlyProblems(...codes, ...OF_RECORDS);
}

/** Returns `problems` with the codes of every deferred operation. */
export function deferredProblems(...codes: readonly ErrorCode[]): Responses {
  return problems(...codes, ...OF_DEFERRAL);
}

/** Returns one response for each status of these codes, and no others. */
export function onlyProblems(...codes: readonly ErrorCode[]): Responses {
  return byStatus(codes, plainExample);
}

/** Returns a response for a code that one protocol answers with a status of its own. */
export function problemWithStatus(status: number, code: ErrorCode): Responses {
  return { [status]: problemResponse([code], (of) => ({ ...plainExample(of), status })) };
}

/** Returns `deferredProblems`, in which `ends` are final outcomes of the upload, with `state` and `final`. */
export function outcomeProblems(ends: readonly ErrorCode[], codes: readonly ErrorCode[]): Responses {
  return byStatus(
    [...ends, ...codes, ...OF_RECORDS, ...OF_DEFERRAL],
    (code) => (ends.includes(code) ? outcome(code) : plainExample(code)),
    (code) => (ends.includes(code) ? outcomeStatus(statusOf(code)) : statusOf(code)),
  );
}

function outcome(code: ErrorCode): Problem {
  const state = code === 'upload_cancelled' ? 'cancelled' : code === 'upload_discarded' ? 'discarded' : 'failed';
  const status = outcomeStatus(statusOf(code));
  return { ...plainExample(code), status, id: EXAMPLE_ID, state, final: true };
}

function byStatus(
  codes: readonly ErrorCode[],
  example: (code: ErrorCode) => Problem,
  statusFor: (code: ErrorCode) => number = statusOf,
): Responses {
  const distinct = [...new Set(codes)];
  const statuses = [...new Set(distinct.map(statusFor))];
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      problemResponse(
        distinct.filter((code) => statusFor(code) === status),
        example,
      ),
    ]),
  );
}

/** Returns one response for codes of one status. */
export function problemResponse(
  codes: readonly ErrorCode[],
  example: (code: ErrorCode) => Problem = plainExample,
): Response {
  const names = headerNames(codes);
  return {
    description: codes.map(lineOf).join('\n'),
    ...(names.length === 0 ? {} : { headers: headers(...names) }),
    content: {
      'application/problem+json': {
        schema: { allOf: [schemaRef('Problem'), { type: 'object', properties: { code: { enum: [...codes] } } }] },
        examples: Object.fromEntries(codes.map((code) => [code, { value: example(code) }])),
      },
    },
  };
}

const STATUSES_WITH_RETRY: ReadonlySet<number> = new Set([429, 503]);

function headerNames(codes: readonly ErrorCode[]): HeaderName[] {
  if (codes.some((code) => STATUSES_WITH_RETRY.has(statusOf(code)))) return ['Retry-After'];
  if (codes.includes('method_not_allowed')) return ['Allow'];
  if (codes.includes('unsupported_encoding')) return ['Accept-Encoding'];
  if (codes.some((code) => statusOf(code) === 401)) return ['WWW-Authenticate'];
  if (codes.includes('content_not_stored')) return ['Retry-After'];
  return codes.includes('range_not_satisfiable') ? ['Content-Range'] : [];
}

/** Remarks on codes whose title is not enough. */
const REMARKS: Partial<Record<ErrorCode, string>> = {
  internal_error: 'A fault of the service. Report the `X-Request-Id` of the answer.',
  service_unavailable: 'Redis is not available at the moment.',
  shutting_down: 'This process is stopping. Send the request again; it will reach another process.',
  too_many_held: 'This process holds its maximum number of responses. Requests with `timeout=0` still work.',
  too_many_held_by_address:
    'The maximum number of responses is held for this client address. Requests with `timeout=0` still work.',
  unknown_upload: 'The id was never used, or its record has expired.',
  upload_gone: 'It was deleted, or it has expired.',
  upload_conflict: 'Other bytes or options are stored under this id. Use another id.',
  upload_superseded: 'A later PUT with the same id has taken over.',
  offset_conflict: 'Ask for the offset with HEAD, and continue from there.',
  upload_locked: 'Another request uses it and was asked to end. Try again.',
  unsupported_tus_version: '`Tus-Version` in the answer names the supported version.',
  upload_interrupted: 'The connection broke. Only readers of the upload see this.',
  upload_too_slow: 'By default: no bytes for 30 seconds, or less than 1 KiB per second over a minute.',
  too_many_uploads_by_address:
    'This client address sends its maximum number of uploads at once, or has begun too many within a minute.',
  too_many_uploads: 'All places are in use, or a new upload took the place of this one, which was the slowest.',
  upload_unfinished: 'Wait for its result, or leave it out.',
  archive_too_large: '`detail` contains the limit (`ARCHIVE_MAX_BYTES`).',
  file_too_large: '`detail` contains the limit.',
  request_too_large: '`detail` contains the limit.',
  unsupported_media_type: 'The type is determined from the bytes, not from the name or `Content-Type`.',
  unknown_variant: 'This upload will never have this variant.',
  deferred_timeout: 'The file was not ready in time, and it is not a picture. Ask again.',
  processing_failed: 'Several attempts failed because of a fault of the service.',
  storage_full: 'Nothing of the file is stored.',
  storage_unavailable: 'The directory or bucket cannot be read or written at the moment.',
  queue_full:
    '`Retry-After` is based on how fast the queue drains. Nothing of the file is stored, unless the upload is ' +
    'resumable.',
  too_many_records: 'The service keeps its maximum number of uploads. The file was not read.',
  too_many_records_by_address: 'The service keeps its maximum number of uploads of this client address.',
  too_many_queued_by_address:
    'This client address has its maximum number of waiting uploads. Otherwise the same as `queue_full`.',
  quota_exceeded: 'A quota of the tenant is used up. `limit` names it.',
  too_many_refusals: 'This address sent ten wrong tokens within a minute.',
  ticket_required: 'The request has neither a ticket nor an API key.',
  ticket_invalid: 'The ticket or the API key is wrong, or its key was removed. `detail` says what is wrong.',
  ticket_expired:
    'Get a new ticket and send the request again. An upload that already exists continues without a ticket.',
  ticket_forbids: 'The type, size, number or options of the files are outside the ticket.',
  no_ticket_key: 'The access file has no key of this tenant that can sign.',
  foreign_origin:
    'Only pages of this host and of `CORS_ORIGINS`, and clients that are not pages, may change something.',
  precondition_failed: '`If-Match` has no tag of this file. Send a request that changes something without `If-Match`.',
  misdirected_host: 'The `Host` is neither a loopback name nor an allowed one (`ALLOWED_HOSTS`).',
  not_retryable: 'It has not failed, or the file itself is at fault, or a retry is already running.',
};

function lineOf(code: ErrorCode): string {
  return [`- \`${code}\`: ${titleOf(code)}.`, REMARKS[code] ?? []].flat().join(' ');
}

function plainExample(code: ErrorCode): Problem {
  const problem = problemOf(code, DETAILS[code] ?? `${titleOf(code)}.`);
  return code === 'quota_exceeded' ? { ...problem, limit: 'createPerMinute' } : problem;
}

const DETAILS: Partial<Record<ErrorCode, string>> = {
  bad_upload_id: 'This is not an upload id. Send a lower-case UUID of version 4.',
  bad_timeout: '`timeout` must appear once and be a whole number of milliseconds.',
  bad_since: 'A version must appear once and be a whole number.',
  bad_digest: 'Repr-Digest is malformed. Send an algorithm and the digest in base64 between colons, as in sha-256=:…:.',
  digest_mismatch:
    'The received bytes do not have the digest that was sent with them. Check the digest, or send the file again.',
  unknown_upload: 'There is no upload with this id. Check the id, or send the file.',
  upload_gone: 'This upload was deleted.',
  file_too_large: 'A file may have at most 104857600 bytes.',
  upload_cancelled: 'The upload was cancelled.',
  upload_discarded: 'The queue was full, and this upload was the oldest that waited. Send it again.',
  queue_full: 'The queue is full. Send the file again after the time in Retry-After.',
  too_many_queued_by_address:
    'At most 20 uploads of one address may wait. Send the file again after the time in Retry-After.',
  quota_exceeded: 'At most 600 uploads may be created per minute. Send the file again after the time in Retry-After.',
  picture_damaged: 'The picture ends too early. Send it again, or send another one.',
  table_damaged: 'A quote opens after line 1204 and is never closed. Close it and send the table again.',
  table_encrypted: 'The workbook is encrypted. Save it without a password.',
  table_line_too_long:
    'The row after line 1 has more than 1048576 bytes. Check for a quote that is never closed, or set the delimiter.',
  table_too_large: 'The table has 100000 columns. At most 2000 are allowed.',
  deferred_timeout: 'The file is not ready yet. Ask again.',
  unsupported_media_type: `This is application/pdf. Accepted types are ${acceptedTypes().join(', ')}.`,
};
