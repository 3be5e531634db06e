import { parameters } from './parameters.ts';
import { headers, problems } from './responses.ts';
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
  description: 'Where the bytes of this request begin: the offset that the upload is at.',
  schema: DIGITS,
  example: '0',
};

const LENGTH: Parameter = {
  name: 'Upload-Length',
  in: 'header',
  description: 'Bytes of the whole file. May be left out until it is known, see `Upload-Defer-Length`.',
  schema: DIGITS,
  example: '1048576',
};

const DEFER_LENGTH: Parameter = {
  name: 'Upload-Defer-Length',
  in: 'header',
  description: '`1` in place of `Upload-Length`; a later PATCH says the length.',
  schema: { type: 'string', enum: ['1'] },
};

const METADATA: Parameter = {
  name: 'Upload-Metadata',
  in: 'header',
  description:
    'Names and values in base64. `filename` (or `name`) is the file name, `options` what the processor is asked for, as JSON, `uploadId` a UUID version 4 of your own in place of one of ours. Others are kept and given back.',
  schema: TEXT,
  example: 'filename aGFyYm91ci5qcGc=',
};

const OVERRIDE: Parameter = {
  name: 'X-HTTP-Method-Override',
  in: 'header',
  required: true,
  description: 'The method that is meant. Whatever is said of that method holds.',
  schema: { type: 'string', enum: ['HEAD', 'PATCH', 'DELETE'] },
  example: 'PATCH',
};

const RESUMABLE: Readonly<Record<string, Header>> = { 'Tus-Resumable': { description: '`1.0.0`.', schema: TEXT } };
const AT: Readonly<Record<string, Header>> = {
  'Upload-Offset': { description: 'Up to here the bytes are durable.', schema: DIGITS },
};
const EXPIRES: Readonly<Record<string, Header>> = {
  'Upload-Expires': {
    description:
      'When the upload is given up if nothing is added to it (a date of HTTP). Not there once it is complete.',
    schema: TEXT,
  },
};

const OFFSET_STREAM = { 'application/offset+octet-stream': { schema: { type: 'string', format: 'binary' } } };

/** What may come of bytes, whichever request brings them. */
const OF_BYTES = [
  'empty_file',
  'bad_options',
  'upload_locked',
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
] as const;

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
  description: `What came is kept: the offset says how much, which is less than was sent where another request asked for the upload, the sender fell
silent or the process stops. With the last byte the upload is queued.`,
  headers: { ...RESUMABLE, ...AT, ...EXPIRES },
};

const tellProtocol: Operation = {
  operationId: 'tellTusProtocol',
  tags: TAGS,
  summary: 'Ask what of the protocol there is',
  description: 'The extensions are creation, creation-with-upload, creation-defer-length, expiration and termination.',
  responses: {
    '204': {
      description: 'In the headers.',
      headers: {
        ...RESUMABLE,
        'Tus-Version': { description: '`1.0.0`.', schema: TEXT },
        'Tus-Extension': { description: 'Names, separated by commas.', schema: TEXT },
        'Tus-Max-Size': { description: 'The most bytes that a file may have.', schema: DIGITS },
      },
    },
    ...problems('bad_request'),
  },
};

const createResumable: Operation = {
  operationId: 'createResumableUpload',
  tags: TAGS,
  summary: 'Make a resumable upload',
  description: `Makes an upload whose bytes may come in several requests, over connections that break, at any process of the service. Its id is the
last part of \`Location\`; it is an upload like any other under \`/uploads/{id}\` from now on, and \`/uploads/{id}/progress\` tells how far it is.

With an \`uploadId\` of your own the request is safe to send again: where the first answer was lost, the second one is a 409, and HEAD tells where to go on.

A body of type \`application/offset+octet-stream\` is the beginning of the file, or all of it.`,
  parameters: [VERSION, LENGTH, DEFER_LENGTH, METADATA],
  requestBody: { description: 'The first bytes; may be left out.', required: false, content: OFFSET_STREAM },
  responses: {
    '201': {
      description: 'Made.',
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
      ...OF_BYTES,
    ),
  },
};

const askOffset: Operation = {
  operationId: 'getResumableOffset',
  tags: TAGS,
  summary: 'Ask where to go on',
  description:
    'A request that is still sending to this upload, perhaps over a dead connection, is asked to end first, and what it brought is counted.',
  parameters: [...parameters('Id'), VERSION],
  responses: {
    '200': {
      description: 'In the headers, after completion too.',
      headers: {
        ...RESUMABLE,
        ...AT,
        ...headers('Cache-Control'),
        'Upload-Length': { description: 'As announced; not there while it is not known.', schema: DIGITS },
        'Upload-Defer-Length': { description: '`1` while the length is not known.', schema: TEXT },
        'Upload-Metadata': { description: 'As announced.', schema: TEXT },
      },
    },
    ...problems(...OF_AN_UPLOAD, 'upload_locked'),
  },
};

const addBytes: Operation = {
  operationId: 'patchResumableUpload',
  tags: TAGS,
  summary: 'Add bytes to a resumable upload',
  description: `Adds the body from the offset on. Whatever came of it stays when the connection breaks. The type of the file is told as soon as its
first bytes are there, and one that is not taken ends the upload as \`failed\`. The answer to the last byte comes when the file is queued.
Where the queue has no room for it that is a problem with \`Retry-After\`: all that came is kept, the last byte counts as not sent, and sending
it again tries again.`,
  parameters: [...parameters('Id'), VERSION, OFFSET, LENGTH],
  requestBody: { description: 'The bytes.', required: true, content: OFFSET_STREAM },
  responses: {
    '204': ADDED,
    ...problems(...OF_AN_UPLOAD, ...OF_BYTES, 'offset_conflict', 'upload_superseded', 'not_offset_stream'),
  },
};

const endResumable: Operation = {
  operationId: 'deleteResumableUpload',
  tags: TAGS,
  summary: 'Give up a resumable upload',
  description: 'The same as DELETE of `/uploads/{id}`, complete or not.',
  parameters: [...parameters('Id'), VERSION],
  responses: { '204': { description: 'Deleted.', headers: RESUMABLE }, ...problems(...OF_AN_UPLOAD, 'upload_locked') },
};

const overridden: Operation = {
  operationId: 'overrideResumableMethod',
  tags: TAGS,
  summary: 'HEAD, PATCH or DELETE through what lets only POST pass',
  description: 'Takes and answers what the method named by the header does.',
  parameters: [...parameters('Id'), VERSION, OVERRIDE],
  requestBody: { description: 'As for the method that is meant.', required: false, content: OFFSET_STREAM },
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
  },
};

/** Resumable uploads by the tus protocol. */
export const TUS_PATHS: Paths = {
  '/files': { options: tellProtocol, post: createResumable },
  '/files/{id}': { head: askOffset, patch: addBytes, delete: endResumable, post: overridden },
};
