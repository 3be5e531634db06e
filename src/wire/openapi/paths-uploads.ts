import { acceptedTypes } from '../../kinds/kinds.ts';
import { schemaRef } from './components.ts';
import { COMPLETED_UPLOAD, QUEUED_UPLOAD } from './examples.ts';
import { parameters } from './parameters.ts';
import { deferredProblems, headers, json, problems } from './responses.ts';
import type { Content, Operation, Paths, Response } from './shapes.ts';

const TAGS = ['Uploads'];

const TYPES = acceptedTypes()
  .map((type) => `\`${type}\``)
  .join(', ');

/** Answers of the two operations that send files; `answered` holds the body of both. */
function answersOfSending(what: string, answered: { now: Content; final: Content }): Record<'200' | '202', Response> {
  const shared = headers('Location', 'Cache-Control', 'Preference-Applied');
  return {
    '200': {
      description: `Only where the client asked to wait: ${what} final,
whatever the final state. The outcome is in each Upload: look at \`state\`, \`result\` and \`error\`.`,
      headers: shared,
      content: answered.final,
    },
    '202': {
      description: `Stored and queued, or, where the client asked to wait and the time was up, as it stands. Go on with \`links.progress\` or \`links.result\`.`,
      headers: shared,
      content: answered.now,
    },
  };
}

const createUploads: Operation = {
  operationId: 'createUploads',
  tags: TAGS,
  summary: 'Send files',
  description: `Takes one or more files of a form. Types taken: ${TYPES}.

The files are queued when the whole body has come; a request that breaks off leaves none of them. The answer lists them in the order sent. A
refused file does not spoil its siblings: it is an Upload in state \`failed\` with its \`error\`. Where every file is refused, the answer is
the first one's Problem. A file that finds the queue full is refused like any other; where it is full from the start, the whole request is,
before its body is read.

Without \`timeout\` and \`Prefer: wait\` the answer is a 202 as soon as the files are queued. With either it is held until all of them are
final: a 200, or a 202 when the time is up. \`Location\` is there where one file was sent.

\`\`\`
curl -F file=@harbour.jpg 'https://host/uploads?timeout=20000'
\`\`\``,
  parameters: parameters('Timeout', 'Prefer'),
  requestBody: {
    description:
      'A field `options` (JSON, at most 8192 characters) speaks of the files after it. Other fields are passed over, and so are parts without `Content-Disposition: form-data`. What has a `filename` is a file, under whatever field name.',
    required: true,
    content: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: {
            options: {
              anyOf: [schemaRef('PictureOptions'), schemaRef('TableOptions')],
              description:
                'What is to be made of the files after it, as JSON. Bad options are a 400, before anything is stored.',
            },
            file: {
              type: 'array',
              minItems: 1,
              items: { type: 'string', format: 'binary' },
              description: 'One or more files, under this or any other name.',
            },
          },
          additionalProperties: true,
        },
        encoding: { options: { contentType: 'application/json' }, file: { contentType: acceptedTypes().join(', ') } },
      },
    },
  },
  responses: {
    ...answersOfSending('all files are', {
      now: json('UploadList', { queued: { value: { uploads: [QUEUED_UPLOAD] } } }),
      final: json('UploadList', { completed: { value: { uploads: [COMPLETED_UPLOAD] } } }),
    }),
    ...deferredProblems(
      'bad_multipart',
      'missing_boundary',
      'no_file',
      'empty_file',
      'bad_options',
      'body_cut_short',
      'upload_interrupted',
      'upload_too_slow',
      'request_too_large',
      'file_too_large',
      'too_many_files',
      'too_many_fields',
      'field_too_large',
      'not_multipart',
      'unsupported_encoding',
      'too_many_uploads',
      'too_many_uploads_by_address',
      'queue_full',
      'too_many_queued_by_address',
      'too_many_records',
      'too_many_records_by_address',
      'unsupported_media_type',
      'storage_full',
      'storage_unavailable',
    ),
  },
};

const putUpload: Operation = {
  operationId: 'putUpload',
  tags: TAGS,
  summary: 'Send one file under an id of your own',
  description: `The body is the file, as it is. The client makes the id, so it can watch the upload from its first byte, and may simply send
again when a connection broke:

- the same bytes again are the same upload, with no second job; other bytes are a 409;
- a later PUT takes over from one that is still receiving under the same id (the earlier one ends with \`upload_superseded\`);
- after \`failed\`, \`cancelled\` or \`discarded\` the upload starts clean; after DELETE the id is a 410.

A refusal is also the outcome of the upload: whoever watches the id learns why. A queue that is full from the start refuses before the body
is read and changes nothing under the id. Types taken: ${TYPES}. Deferral is as for POST.

\`\`\`
curl -T harbour.jpg -H 'Content-Disposition: attachment; filename="harbour.jpg"' https://host/uploads/0b9c6f2e-3c1d-4f6a-9a57-2f8f5d1c7e10
\`\`\``,
  parameters: [
    ...parameters('Id', 'Timeout', 'Prefer', 'Options'),
    {
      name: 'Content-Disposition',
      in: 'header',
      description: 'The file name, as `filename` or `filename*` (RFC 6266). Without one the file is called `file`.',
      schema: { type: 'string' },
      example: 'attachment; filename="harbour.jpg"',
    },
  ],
  requestBody: {
    description:
      'The bytes. `Content-Length` lets a file that is too large be refused before it is sent; ' +
      'a body without it is taken too, and has no percent while it comes.',
    required: true,
    content: { '*/*': { schema: { type: 'string', format: 'binary' } } },
  },
  responses: {
    ...answersOfSending('the upload is', {
      now: json('Upload', { queued: { value: QUEUED_UPLOAD } }),
      final: json('Upload', { completed: { value: COMPLETED_UPLOAD } }),
    }),
    ...deferredProblems(
      'bad_request',
      'bad_upload_id',
      'bad_options',
      'empty_file',
      'upload_interrupted',
      'upload_too_slow',
      'upload_conflict',
      'upload_superseded',
      'upload_discarded',
      'upload_gone',
      'upload_cancelled',
      'file_too_large',
      'unsupported_encoding',
      'too_many_uploads',
      'too_many_uploads_by_address',
      'queue_full',
      'too_many_queued_by_address',
      'too_many_records',
      'too_many_records_by_address',
      'unsupported_media_type',
      'storage_full',
      'storage_unavailable',
    ),
  },
};

const getUpload: Operation = {
  operationId: 'getUpload',
  tags: TAGS,
  summary: 'Read an upload as it stands',
  description: 'Answers at once. To wait for a change ask for `/progress`, for the outcome `/result`.',
  parameters: parameters('Id'),
  responses: {
    '200': {
      description: 'The upload, whatever its state.',
      headers: headers('Cache-Control'),
      content: json('Upload', { queued: { value: QUEUED_UPLOAD }, completed: { value: COMPLETED_UPLOAD } }),
    },
    ...problems('bad_upload_id', 'unknown_upload', 'upload_gone'),
  },
};

const deleteUpload: Operation = {
  operationId: 'deleteUpload',
  tags: TAGS,
  summary: 'Delete an upload',
  description:
    'Stops what is under way and removes all files, variants included. ' +
    'Held answers on the upload end at once, with state `cancelled`; whoever asks later gets a 410.',
  parameters: parameters('Id'),
  responses: { '204': { description: 'Deleted.' }, ...problems('bad_upload_id', 'unknown_upload', 'upload_gone') },
};

const cancelUpload: Operation = {
  operationId: 'cancelUpload',
  tags: TAGS,
  summary: 'Cancel an upload',
  description: 'Stops receiving, waiting or processing, wherever it runs. What is final already keeps its outcome.',
  parameters: parameters('Id'),
  responses: {
    '200': {
      description: 'It was final before, with the outcome shown.',
      content: json('Upload', { completed: { value: COMPLETED_UPLOAD } }),
    },
    '202': { description: 'Cancelled.', content: json('Upload') },
    ...problems('bad_upload_id', 'unknown_upload', 'upload_gone'),
  },
};

/** Sending, reading, cancelling and deleting uploads. */
export const UPLOAD_PATHS: Paths = {
  '/uploads': { post: createUploads },
  '/uploads/{id}': { put: putUpload, get: getUpload, delete: deleteUpload },
  '/uploads/{id}/cancel': { post: cancelUpload },
};
