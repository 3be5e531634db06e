import type { DirectPart } from '../documents.ts';
import { schemaRef } from './components.ts';
import { EXAMPLE_ID, QUEUED_UPLOAD } from './examples.ts';
import { parameters } from './parameters.ts';
import { headers, json, problems } from './responses.ts';
import { CREATING_CODES, CREATING_SECURITY } from './security.ts';
import type { Operation, Parameter, Paths } from './shapes.ts';

const TAGS = ['Straight to the bucket'];

const ETAG = '5d41402abc4b2a76b9719d911017c592';

const PART: DirectPart = {
  number: 1,
  url: 'https://bucket.s3.eu-central-1.amazonaws.com/0b/0b9c6f2e.original?partNumber=1&uploadId=x&X-Amz-Signature=y',
  headers: {},
  expiresAt: '2026-03-14T10:26:53.000Z',
};

const FROM: Parameter = {
  name: 'from',
  in: 'query',
  description: 'Number of the first part. Default 1.',
  schema: { type: 'integer', minimum: 1, maximum: 10_000 },
};

const COUNT: Parameter = {
  name: 'count',
  in: 'query',
  description: 'Number of parts. Default 10. The answer has fewer at the end of the file.',
  schema: { type: 'integer', minimum: 1, maximum: 100 },
};

/** Codes of every request with a body in JSON. */
const OF_JSON = ['bad_request', 'upload_interrupted', 'request_timeout', 'request_too_large'] as const;

const OF_AN_UPLOAD = [
  'bad_upload_id',
  'unknown_upload',
  'no_direct_upload',
  'upload_cancelled',
  'upload_discarded',
  'upload_gone',
  'no_direct_uploads',
] as const;

const createDirect: Operation = {
  operationId: 'createDirectUpload',
  tags: TAGS,
  summary: 'Begin an upload straight to the bucket',
  description: `Creates the upload in state \`receiving\`, and returns the addresses of its first parts.

PUT each part to its address, with its headers and exactly \`partSize\` bytes; only the last one is shorter. The bucket
answers with an \`ETag\`. Then send the list of all parts to \`/uploads/{id}/direct/complete\`. Parts may be sent at
the same time and in any order.

An upload whose parts stop coming expires after \`UPLOAD_EXPIRY_MS\`. If the bucket has all parts, it is completed.
\`DELETE /uploads/{id}\` aborts it.`,
  parameters: parameters('Metadata'),
  security: CREATING_SECURITY,
  requestBody: {
    description: 'The file.',
    required: true,
    content: {
      'application/json': {
        schema: schemaRef('DirectRequest'),
        examples: { photo: { value: { fileName: 'harbour.jpg', size: 20_971_520 } } },
      },
    },
  },
  responses: {
    '201': {
      description: 'The upload and its first parts.',
      headers: headers('Location', 'Cache-Control'),
      content: json('DirectUpload'),
    },
    ...problems(
      ...OF_JSON,
      ...CREATING_CODES,
      'empty_file',
      'bad_options',
      'bad_metadata',
      'upload_conflict',
      'upload_superseded',
      'file_too_large',
      'queue_full',
      'too_many_queued_by_address',
      'too_many_records',
      'too_many_records_by_address',
      'quota_exceeded',
      'too_many_uploads_by_address',
      'storage_unavailable',
      'no_direct_uploads',
    ),
  },
};

const signParts: Operation = {
  operationId: 'signDirectParts',
  tags: TAGS,
  summary: 'Get addresses of more parts',
  description: 'Also returns new addresses for parts whose address has expired. Addresses are valid for an hour.',
  parameters: [...parameters('Id'), FROM, COUNT],
  responses: {
    '200': {
      description: 'The addresses, by number of the part.',
      headers: headers('Cache-Control'),
      content: json('DirectParts', { one: { value: { parts: [PART] } } }),
    },
    ...problems('bad_request', ...OF_AN_UPLOAD),
  },
};

const listStored: Operation = {
  operationId: 'listStoredParts',
  tags: TAGS,
  summary: 'List the parts that the bucket has',
  description: 'Use it to resume an upload. The request also moves the `percent` of the upload.',
  parameters: parameters('Id'),
  responses: {
    '200': {
      description: 'The parts, by number.',
      headers: headers('Cache-Control'),
      content: json('StoredParts', {
        one: { value: { partSize: 8_388_608, parts: [{ number: 1, size: 8_388_608, etag: ETAG }] } },
      }),
    },
    ...problems(...OF_AN_UPLOAD),
  },
};

const completeDirect: Operation = {
  operationId: 'completeDirectUpload',
  tags: TAGS,
  summary: 'Make the file of its parts and queue it',
  description: `Checks the number and the length of all parts, makes one file of them, determines its type, and
queues it. The same request again has the same answer. After \`bad_parts\`, send the part that the detail names, and
send this request again. After 429 and 503, only send it again.`,
  parameters: parameters('Id'),
  requestBody: {
    description: 'All parts in order.',
    required: true,
    content: {
      'application/json': {
        schema: schemaRef('CompleteRequest'),
        examples: { one: { value: { parts: [{ number: 1, etag: ETAG }] } } },
      },
    },
  },
  responses: {
    '202': {
      description: 'The upload is queued.',
      headers: headers('Cache-Control'),
      content: json('Upload', { queued: { value: { ...QUEUED_UPLOAD, id: EXAMPLE_ID } } }),
    },
    ...problems(
      ...OF_JSON,
      ...OF_AN_UPLOAD,
      'bad_parts',
      'bad_options',
      'ticket_forbids',
      'foreign_origin',
      'unsupported_media_type',
      'queue_full',
      'too_many_queued_by_address',
      'quota_exceeded',
    ),
  },
};

/** Operations of uploads whose parts the client puts into the bucket. */
export const DIRECT_PATHS: Paths = {
  '/uploads/direct': { post: createDirect },
  '/uploads/{id}/direct/parts': { get: signParts },
  '/uploads/{id}/direct/stored': { get: listStored },
  '/uploads/{id}/direct/complete': { post: completeDirect },
};
