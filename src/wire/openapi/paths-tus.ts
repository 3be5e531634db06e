import { parameters } from './parameters.ts';
import { headers, problems, problemWithStatus, RECEIVING_CODES } from './responses.ts';
import { CREATING_CODES, CREATING_SECURITY } from './security.ts';
import type { Header, Operation, Parameter, Paths, Response } from './shapes.ts';

const TAGS = ['Resumable uploads'];

const DIGITS = { type: 'string', pattern: '^[0-9]+$' };
const TEXT = { type: 'string' };

const VERSION: Parameter = {
  name: 'Tus-Resumable',
  in: 'header',
  required: true,
  description: 'The version of the protocol.',
  schema: { type: 'string', enum: ['1.0.0'] },
  example: '1.0.0',
};

const OFFSET: Parameter = {
  name: 'Upload-Offset',
  in: 'header',
  required: true,
  description: 'Where the bytes of this request begin: the current offset of the upload.',
  schema: DIGITS,
  example: '0',
};

const LENGTH: Parameter = {
  name: 'Upload-Length',
  in: 'header',
  description: 'Size of the whole file in bytes. It may be left out while it is unknown, see `Upload-Defer-Length`.',
  schema: DIGITS,
  example: '1048576',
};

const DEFER_LENGTH: Parameter = {
  name: 'Upload-Defer-Length',
  in: 'header',
  description: '`1` instead of `Upload-Length`. A later PATCH sends the length.',
  schema: { type: 'string', enum: ['1'] },
};

const METADATA: Parameter = {
  name: 'Upload-Metadata',
  in: 'header',
  description:
    'Names and values in base64. `filename` (or `name`) is the file name, `options` the options for ' +
    'processing as JSON, `uploadId` your own UUID version 4 as the id, and ' +
    'with an API key `metadata` is the metadata of the upload as JSON. Other names are kept and returned.',
  schema: TEXT,
  example: 'filename aGFyYm91ci5qcGc=',
};

const CONCAT: Parameter = {
  name: 'Upload-Concat',
  in: 'header',
  description:
    '`partial` for a part of a file, or `final;` and the addresses of all its partial uploads in their order, ' +
    'separated by blanks. They must be complete and belong to the same tenant, and are removed then.',
  schema: TEXT,
  example: 'partial',
};

const OVERRIDE: Parameter = {
  name: 'X-HTTP-Method-Override',
  in: 'header',
  required: true,
  description: 'The intended method. The request is handled as that method.',
  schema: { type: 'string', enum: ['HEAD', 'PATCH', 'DELETE'] },
  example: 'PATCH',
};

const CHECKSUM: Parameter = {
  name: 'Upload-Checksum',
  in: 'header',
  description: '`sha1` or `sha256`, a space, and the digest of the body in base64.',
  schema: TEXT,
  example: 'sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=',
};

const RESUMABLE: Readonly<Record<string, Header>> = { 'Tus-Resumable': { description: '`1.0.0`.', schema: TEXT } };
const AT: Readonly<Record<string, Header>> = {
  'Upload-Offset': { description: 'The bytes before this offset are stored.', schema: DIGITS },
};
const EXPIRES: Readonly<Record<string, Header>> = {
  'Upload-Expires': {
    description: 'When the upload expires if no bytes are added (an HTTP date). Missing if the upload is complete.',
    schema: TEXT,
  },
};

const OFFSET_STREAM = { 'application/offset+octet-stream': { schema: { type: 'string', format: 'binary' } } };

/** Codes of every request that carries bytes. */
const OF_BYTES = [
  'ticket_forbids',
  'foreign_origin',
  'bad_digest',
  'empty_file',
  'bad_options',
  'bad_metadata',
  'upload_locked',
  ...RECEIVING_CODES,
] as const;

/** The response for a wrong checksum (tus 1.0, "Checksum"). */
const MISMATCH = problemWithStatus(460, 'digest_mismatch');

const OF_AN_UPLOAD = [
  'bad_request',
  'bad_upload_id',
  'unknown_upload',
  'upload_gone',
  'upload_cancelled',
  'upload_discarded',
  'unsupported_tus_version',
] as const;

const ADDED: Response = {
  description: `The received bytes are stored, up to the offset. This is less than was sent if another request took
over, if the sender stopped sending, or if the process stops. The last byte queues the upload.`,
  headers: { ...RESUMABLE, ...AT, ...EXPIRES },
};

const getProtocol: Operation = {
  operationId: 'getTusProtocol',
  tags: TAGS,
  summary: 'Ask which parts of the protocol are supported',
  description:
    'The extensions are creation, creation-with-upload, creation-defer-length, expiration, termination, checksum and ' +
    'concatenation.',
  responses: {
    '204': {
      description: 'The headers contain the answer.',
      headers: {
        ...RESUMABLE,
        'Tus-Version': { description: '`1.0.0`.', schema: TEXT },
        'Tus-Extension': { description: 'Names, separated by commas.', schema: TEXT },
        'Tus-Checksum-Algorithm': { description: 'Algorithms of `Upload-Checksum`.', schema: TEXT },
        'Tus-Max-Size': { description: 'Maximum size of a file in bytes.', schema: DIGITS },
      },
    },
    ...problems('bad_request'),
  },
};

const createResumable: Operation = {
  operationId: 'createResumableUpload',
  tags: TAGS,
  summary: 'Create a resumable upload',
  description: `Creates an upload whose bytes arrive in several requests, at any process of the service. Connections may
break in between. Its id is the last part of \`Location\`. It can be read like any other upload at \`/uploads/{id}\` and
\`/uploads/{id}/progress\`.

With your own \`uploadId\` the request can be repeated: if the first answer was lost, the second is a 409, and HEAD
returns the offset to continue from.

With \`Upload-Concat\` a file is sent as several partial uploads, also at the same time. The final one is created and
queued with one request, which has no \`Upload-Length\`.

A body of type \`application/offset+octet-stream\` is the beginning of the file, or the whole file.`,
  parameters: [VERSION, LENGTH, DEFER_LENGTH, METADATA, CONCAT],
  security: CREATING_SECURITY,
  requestBody: { description: 'The first bytes. May be left out.', required: false, content: OFFSET_STREAM },
  responses: {
    '201': {
      description: 'The upload exists.',
      headers: { ...RESUMABLE, ...headers('Location'), ...AT, ...EXPIRES },
      content: { 'text/plain': { schema: { type: 'string', maxLength: 0 } } },
    },
    ...problems(
      'bad_request',
      'bad_upload_id',
      'upload_conflict',
      'upload_gone',
      'unsupported_tus_version',
      'unsupported_tus_extension',
      'unknown_upload',
      'upload_cancelled',
      'upload_discarded',
      ...CREATING_CODES,
      ...OF_BYTES,
    ),
    ...MISMATCH,
  },
};

const askOffset: Operation = {
  operationId: 'getResumableOffset',
  tags: TAGS,
  summary: 'Ask for the offset to continue from',
  description:
    'If another request is still sending to this upload, perhaps over a dead connection, it is asked to end ' +
    'first. Its bytes count.',
  parameters: [...parameters('Id'), VERSION],
  responses: {
    '200': {
      description: 'The headers contain the answer, also after completion.',
      headers: {
        ...RESUMABLE,
        ...AT,
        ...headers('Cache-Control'),
        'Upload-Length': { description: 'As announced. Missing while it is unknown.', schema: DIGITS },
        'Upload-Defer-Length': { description: '`1` while the length is unknown.', schema: TEXT },
        'Upload-Metadata': { description: 'As announced.', schema: TEXT },
        'Upload-Concat': { description: 'As announced. Missing if it has no role in a concatenation.', schema: TEXT },
      },
    },
    ...problems(...OF_AN_UPLOAD, 'upload_locked'),
  },
};

const addBytes: Operation = {
  operationId: 'patchResumableUpload',
  tags: TAGS,
  summary: 'Add bytes to a resumable upload',
  description: `Adds the body at the offset. If the connection breaks, the received bytes are kept. The type of the file
is determined from its first bytes; if it is not accepted, the upload ends as \`failed\`. The answer to the last byte
comes when the file is queued. If the queue is full, the answer is a Problem with \`Retry-After\`: all bytes are kept,
but the last byte counts as not sent. Send it again to retry.

With \`Upload-Checksum\` the bytes of the body are kept only if they have that digest. Otherwise, also after a broken
connection, they are discarded, and the offset stays.`,
  parameters: [...parameters('Id'), VERSION, OFFSET, LENGTH, CHECKSUM],
  requestBody: { description: 'The bytes.', required: true, content: OFFSET_STREAM },
  responses: {
    '204': ADDED,
    ...problems(...OF_AN_UPLOAD, ...OF_BYTES, 'offset_conflict', 'upload_superseded', 'not_offset_stream'),
    ...MISMATCH,
  },
};

const endResumable: Operation = {
  operationId: 'deleteResumableUpload',
  tags: TAGS,
  summary: 'Delete a resumable upload',
  description: 'The same as DELETE of `/uploads/{id}`, for complete and incomplete uploads.',
  parameters: [...parameters('Id'), VERSION],
  responses: { '204': { description: 'Deleted.', headers: RESUMABLE }, ...problems(...OF_AN_UPLOAD, 'upload_locked') },
};

const overridden: Operation = {
  operationId: 'overrideResumableMethod',
  tags: TAGS,
  summary: 'HEAD, PATCH or DELETE through proxies that allow only POST',
  description: 'The same as the method that the header names.',
  parameters: [...parameters('Id'), VERSION, OVERRIDE],
  requestBody: { description: 'The body of the intended method.', required: false, content: OFFSET_STREAM },
  responses: {
    '204': ADDED,
    ...problems(
      ...OF_AN_UPLOAD,
      ...OF_BYTES,
      'offset_conflict',
      'upload_superseded',
      'not_offset_stream',
      'method_not_allowed',
    ),
    ...MISMATCH,
  },
};

/** Operations of the tus protocol. */
export const TUS_PATHS: Paths = {
  '/files': { options: getProtocol, post: createResumable },
  '/files/{id}': { head: askOffset, patch: addBytes, delete: endResumable, post: overridden },
};
