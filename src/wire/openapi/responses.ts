import type { Problem } from '../documents.ts';
import { outcomeStatus, problemOf, statusOf, titleOf, type ErrorCode } from '../../errors.ts';
import { acceptedTypes } from '../../kinds/kinds.ts';
import { schemaRef, type SchemaName } from './components.ts';
import { EXAMPLE_ID } from './examples.ts';
import type { Content, Example, Header, Reference, Response, Responses, Schema } from './shapes.ts';

const string: Schema = { type: 'string' };

/** What stands under `components.headers`. */
export const HEADERS = {
  Location: { description: 'The upload, as a path at this same host.', schema: string },
  'Cache-Control': { description: '`no-store`: the answer is of this moment.', schema: string },
  'Retry-After': {
    description: 'Whole seconds to wait before asking again, jittered so that clients spread.',
    schema: { type: 'integer', minimum: 1 },
  },
  'Preference-Applied': {
    description: 'The `wait` that counts, where `Prefer` asked for one: `wait=20`.',
    schema: string,
  },
  ETag: { description: 'Strong: the same tag is the same bytes.', schema: string },
  'Content-Range': { description: '`bytes 0-99/1234`.', schema: string },
  'Accept-Ranges': { description: '`bytes`.', schema: string },
  'Accept-Encoding': { description: '`identity`: bodies are taken as they are.', schema: string },
  Allow: { description: 'The methods that the address takes.', schema: string },
  'WWW-Authenticate': { description: 'What makes a browser ask for the token.', schema: string },
  'X-Timed-Out': { description: '`true` on the placeholder.', schema: string },
} as const satisfies Record<string, Header>;

type HeaderName = keyof typeof HEADERS;

/** Points each name to the shared header, for headers that mean the same everywhere. */
export function headers(...names: HeaderName[]): Record<string, Reference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

/** A JSON body of that schema. */
export function json(name: SchemaName, examples?: Readonly<Record<string, Example>>): Content {
  return { 'application/json': { schema: schemaRef(name), ...(examples === undefined ? {} : { examples }) } };
}

/** Codes that any operation can answer with that reads or writes a record. */
const OF_RECORDS: readonly ErrorCode[] = ['internal_error', 'service_unavailable'];

/** Codes that any deferred operation can answer with. */
const OF_DEFERRAL: readonly ErrorCode[] = ['bad_timeout', 'too_many_held_by_address', 'too_many_held', 'shutting_down'];

/** A response for each status that the codes answer with, naming them; those of every operation on records join in. */
export function problems(...codes: readonly ErrorCode[]): Responses {
  return onlyProblems(...codes, ...OF_RECORDS);
}

/** `problems`, and what comes of holding the answer. */
export function deferredProblems(...codes: readonly ErrorCode[]): Responses {
  return problems(...codes, ...OF_DEFERRAL);
}

/** A response for each status that exactly these codes answer with. */
export function onlyProblems(...codes: readonly ErrorCode[]): Responses {
  return byStatus(codes, plainExample);
}

/** `deferredProblems`, where `ends` speak of the upload itself and say so in `state` and `final`. */
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

/** One response for codes of one status. */
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
  if (codes.includes('unauthorized')) return ['WWW-Authenticate'];
  if (codes.includes('content_not_stored')) return ['Retry-After'];
  return codes.includes('range_not_satisfiable') ? ['Content-Range'] : [];
}

/** What a title cannot say. */
const REMARKS: Partial<Record<ErrorCode, string>> = {
  internal_error: 'A fault of ours; `X-Request-Id` of the answer helps to find it.',
  service_unavailable: 'The queue cannot be reached at the moment.',
  shutting_down: 'This process stops; the next request meets another one.',
  too_many_held: 'This process holds as many answers as it may. `timeout=0` still answers.',
  too_many_held_by_address: 'As many answers as one address may have are held for this one. `timeout=0` still answers.',
  unknown_upload: 'It never was, or it is long forgotten.',
  upload_gone: 'It was deleted, or it expired.',
  upload_conflict: 'What is stored has other bytes; send these under an id of their own.',
  upload_superseded: 'A later PUT under the same id goes on with it.',
  offset_conflict: 'Ask with HEAD where the upload is, and go on from there.',
  upload_locked: 'Another request is on it and was asked to end; try again.',
  unsupported_tus_version: '`Tus-Version` of the answer names the one that is.',
  upload_interrupted: 'The connection broke; nobody reads this but the record of the upload.',
  upload_too_slow:
    'Nothing came for 30 seconds, or less than 1 KB a second for a minute, unless the service is set otherwise.',
  too_many_uploads: 'All places are taken, or a newer upload took the place of this one because it came slowest.',
  file_too_large: 'The limit, of the settings, is in `detail`.',
  request_too_large: 'The limit, of the settings, is in `detail`.',
  unsupported_media_type: 'Told from the bytes; neither name nor `Content-Type` counts.',
  unknown_variant: 'This upload does not have it and never will.',
  deferred_timeout: 'The file did not come in time and is no picture; ask again.',
  processing_failed: 'Several attempts failed for a reason of ours.',
  storage_full: 'Nothing of the file was kept.',
  storage_unavailable: 'The directory or bucket cannot be read or written at the moment.',
  queue_full:
    'As many uploads wait as may; `Retry-After` is told from how fast they go. Nothing of the file was kept, unless it is resumable.',
  too_many_records: 'The service keeps as many uploads as it may. Nothing was read of the file.',
  too_many_records_by_address: 'The service keeps as many uploads of this client address as it may.',
  too_many_queued_by_address: 'As many of this client address wait as may. As for `queue_full`.',
  too_many_refusals: 'Ten wrong tokens came from this address within a minute.',
  foreign_origin: 'Only pages of this host or of `CORS_ORIGINS` may change something, and clients that are no pages.',
  misdirected_host: 'The `Host` is neither a loopback name nor one that the service is set to answer for.',
  not_retryable: 'It did not fail, or the file itself is at fault, or somebody has taken it up by now.',
};

function lineOf(code: ErrorCode): string {
  return [`- \`${code}\`: ${titleOf(code)}.`, REMARKS[code] ?? []].flat().join(' ');
}

function plainExample(code: ErrorCode): Problem {
  return problemOf(code, DETAILS[code] ?? `${titleOf(code)}.`);
}

const DETAILS: Partial<Record<ErrorCode, string>> = {
  bad_upload_id: 'An upload id is a lower-case UUID of version 4.',
  bad_timeout: 'timeout is a number of milliseconds in decimal digits, given once.',
  bad_since: 'A version is a number in decimal digits, given once.',
  unknown_upload: 'There is no upload with this id.',
  upload_gone: 'This upload was deleted.',
  file_too_large: 'A file may have at most 104857600 bytes.',
  upload_cancelled: 'The upload was cancelled.',
  upload_discarded: 'The queue was full, and this upload, the oldest that waited, made room. Send it again.',
  queue_full: 'As many uploads wait as there is room for. Send the file again when Retry-After says.',
  too_many_queued_by_address: 'At most 20 uploads of one address may wait. Send the file again when Retry-After says.',
  picture_damaged: 'The picture ends too early. Send it again, or another one.',
  table_damaged: 'A quote that is opened after line 1204 is never closed.',
  table_encrypted: 'The workbook is encrypted. Save it without a password.',
  table_line_too_long:
    'The row after line 1 has more than 1048576 bytes. Perhaps a quote in it is never closed, or the delimiter is another one.',
  table_too_large: 'The table has 100000 columns; at most 2000 are taken.',
  deferred_timeout: 'The file is not there yet. Ask again.',
  unsupported_media_type: `This is application/pdf; taken are ${acceptedTypes().join(', ')}.`,
};
