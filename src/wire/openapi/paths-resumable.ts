import { EXAMPLE_ID, QUEUED_UPLOAD } from './examples.ts';
import { parameters } from './parameters.ts';
import { headers, json, problems, RECEIVING_CODES } from './responses.ts';
import { CREATING_CODES, CREATING_SECURITY } from './security.ts';
import type { Header, Operation, Parameter, Paths, Response } from './shapes.ts';

const TAGS = ['Resumable uploads of the IETF'];

const DIGITS = { type: 'string', pattern: '^[0-9]+$' };
const FLAG = { type: 'string', enum: ['?0', '?1'] };
const TEXT = { type: 'string' };

const COMPLETE: Parameter = {
  name: 'Upload-Complete',
  in: 'header',
  required: true,
  description: '`?1` if the file is complete after this request, otherwise `?0`.',
  schema: FLAG,
  example: '?1',
};
const LENGTH: Parameter = {
  name: 'Upload-Length',
  in: 'header',
  description: 'Size of the whole file in bytes. It follows from `Content-Length` if the request completes the file.',
  schema: DIGITS,
};
const OFFSET: Parameter = {
  name: 'Upload-Offset',
  in: 'header',
  required: true,
  description: 'Where the bytes of this request begin: the current offset of the upload.',
  schema: DIGITS,
  example: '0',
};
const VERSION: Parameter = {
  name: 'Upload-Draft-Interop-Version',
  in: 'header',
  description: '`8`, to get the address of the upload in an interim response with the status 104.',
  schema: TEXT,
};

const LIMIT: Record<string, Header> = {
  'Upload-Limit': { description: '`max-size` in bytes and `max-age` in seconds.', schema: TEXT },
};
const STATE: Record<string, Header> = {
  'Upload-Offset': { description: 'The number of stored bytes.', schema: DIGITS },
  'Upload-Complete': { description: '`?1` once the upload is queued.', schema: FLAG },
};

const OF_AN_UPLOAD = [
  'bad_upload_id',
  'unknown_upload',
  'upload_gone',
  'upload_cancelled',
  'upload_discarded',
  'no_resumable_uploads',
] as const;

const OF_BYTES = [
  'bad_request',
  'empty_file',
  'bad_options',
  'upload_locked',
  'upload_conflict',
  ...RECEIVING_CODES,
] as const;

const QUEUED: Response = {
  description: 'The file is complete and queued.',
  headers: { ...STATE, ...headers('Cache-Control') },
  content: json('Upload', { queued: { value: { ...QUEUED_UPLOAD, id: EXAMPLE_ID } } }),
};

const askLimits: Operation = {
  operationId: 'getResumableLimits',
  tags: TAGS,
  summary: 'Ask whether the draft is supported',
  description: 'The answer also has the limits of new uploads.',
  responses: {
    '204': {
      description: 'The headers contain the answer.',
      headers: { ...LIMIT, 'Accept-Patch': { description: '`application/partial-upload`.', schema: TEXT } },
    },
    ...problems('no_resumable_uploads'),
  },
};

const createUpload: Operation = {
  operationId: 'createIetfUpload',
  tags: TAGS,
  summary: 'Create an upload, with all, some or no bytes of its file',
  description: `draft-ietf-httpbis-resumable-upload, with the interop version 8. The body is the beginning of the file.
The file name is taken from \`Content-Disposition\`. The id in \`Location\` is that of an upload like any other.`,
  parameters: [COMPLETE, LENGTH, VERSION],
  security: CREATING_SECURITY,
  requestBody: {
    description: 'The first bytes. May be left out.',
    required: false,
    content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
  },
  responses: {
    '201': {
      description: 'The bytes are stored. More are expected.',
      headers: { ...STATE, ...LIMIT, ...headers('Location', 'Cache-Control') },
      content: { 'text/plain': { schema: { type: 'string', maxLength: 0 } } },
    },
    '202': QUEUED,
    ...problems('no_resumable_uploads', ...CREATING_CODES, ...OF_BYTES),
  },
};

const askOffset: Operation = {
  operationId: 'getIetfOffset',
  tags: TAGS,
  summary: 'Ask for the offset to continue from',
  description: 'A request that is still sending to this upload is asked to end first. Its bytes count.',
  parameters: parameters('Id'),
  responses: {
    '204': {
      description: 'The headers contain the answer.',
      headers: {
        ...STATE,
        ...LIMIT,
        ...headers('Cache-Control'),
        'Upload-Length': { description: 'Missing while it is unknown.', schema: DIGITS },
      },
    },
    ...problems(...OF_AN_UPLOAD, 'upload_locked'),
  },
};

const append: Operation = {
  operationId: 'appendToIetfUpload',
  tags: TAGS,
  summary: 'Append bytes',
  description: 'After a 503 the bytes are stored. Ask for the offset, and complete the upload with an empty request.',
  parameters: [...parameters('Id'), COMPLETE, OFFSET, LENGTH],
  requestBody: {
    description: 'The next bytes.',
    required: false,
    content: { 'application/partial-upload': { schema: { type: 'string', format: 'binary' } } },
  },
  responses: {
    '202': QUEUED,
    '204': { description: 'The bytes are stored.', headers: { ...STATE, ...headers('Cache-Control') } },
    ...problems(...OF_AN_UPLOAD, ...OF_BYTES, 'offset_conflict', 'not_offset_stream', 'ticket_forbids'),
  },
};

const cancel: Operation = {
  operationId: 'cancelIetfUpload',
  tags: TAGS,
  summary: 'Delete the upload',
  description: 'A request that is still sending to this upload ends.',
  parameters: parameters('Id'),
  responses: { '204': { description: 'The upload and its bytes are removed.' }, ...problems(...OF_AN_UPLOAD) },
};

/** Operations of resumable uploads of the IETF. */
export const RESUMABLE_PATHS: Paths = {
  '/resumable': { options: askLimits, post: createUpload },
  '/resumable/{id}': { head: askOffset, patch: append, delete: cancel },
};
