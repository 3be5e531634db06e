import { acceptedTypes } from '../../kinds/kinds.ts';
import { schemaRef } from './components.ts';
import { COMPLETED_UPLOAD, QUEUED_UPLOAD } from './examples.ts';
import { parameters } from './parameters.ts';
import { listUploads } from './paths-tenants.ts';
import { deferredProblems, headers, json, problems, RECEIVING_CODES } from './responses.ts';
import { CREATING_CODES, CREATING_SECURITY } from './security.ts';
import type { Content, Operation, Paths, Response } from './shapes.ts';

const TAGS = ['Uploads'];

const TYPES = acceptedTypes()
  .map((type) => `\`${type}\``)
  .join(', ');

/** Returns the answers of an operation that sends files. `answered` has their bodies. */
function answersOfSending(what: string, answered: { now: Content; final: Content }): Record<'200' | '202', Response> {
  const shared = headers('Location', 'Cache-Control', 'Preference-Applied');
  return {
    '200': {
      description: `Only if the client asked to wait: ${what} final,
in any final state. Each Upload has its outcome in \`state\`, \`result\` and \`error\`.`,
      headers: shared,
      content: answered.final,
    },
    '202': {
      description:
        'Stored and queued; or the current state, if the client asked to wait and the time was up. Continue with ' +
        '`links.progress` or `links.result`.',
      headers: shared,
      content: answered.now,
    },
  };
}

const createUploads: Operation = {
  operationId: 'createUploads',
  tags: TAGS,
  summary: 'Send files',
  description: `Accepts one or more files of a form. Accepted types: ${TYPES}.

The files are queued when the whole body has arrived. An aborted request leaves no files. The answer lists the files in
the order sent. If a file is rejected, the others are kept: the rejected one is an Upload in state \`failed\` with its
\`error\`. If every file is rejected, the answer is the Problem of the first. A full queue rejects files in the same
way; if it is full at the start of the request, the whole request is rejected before its body is read.

Without \`timeout\` and \`Prefer: wait\` the answer is a 202 as soon as the files are queued. With one of them it is
held until all files are final: a 200, or a 202 if the time is up. \`Location\` is present if one file was sent.

\`\`\`
curl -F file=@harbour.jpg 'https://host/uploads?timeout=20000'
\`\`\`

With \`Content-Type: application/json\` and \`{ "url": "https://…" }\` a worker fetches the file. The 202 comes at
once; the \`stage\` is \`fetch\` until all bytes are there. This needs an API key, or a ticket with
\`"import": true\`; in open mode it works only if no other machine can reach the service. Only \`http\` and
\`https\` addresses on the public internet are fetched, without credentials, after at most 5 redirects. An address
that is not allowed is a 400 \`import_refused\`. The upload fails with \`import_failed\` if the server does not send
the file.`,
  parameters: parameters('Timeout', 'Prefer', 'Metadata'),
  security: CREATING_SECURITY,
  requestBody: {
    description:
      'A field `options` (JSON, at most 8192 characters) applies to the files after it. With an API key a field ' +
      '`metadata` before the files sets the metadata of the uploads. Other fields are ignored, and so are parts ' +
      'without `Content-Disposition: form-data`. A part with a `filename` is a file, under any field name.',
    required: true,
    content: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: {
            options: {
              anyOf: [schemaRef('PictureOptions'), schemaRef('TableOptions')],
              description:
                'Options for the files after it, as JSON. Invalid options are a 400, before anything is stored.',
            },
            metadata: {
              type: 'object',
              description:
                'Metadata of the uploads, as JSON: at most 4096 bytes and 8 levels. Only with an API key; otherwise ' +
                'it is ignored.',
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
        encoding: {
          options: { contentType: 'application/json' },
          metadata: { contentType: 'application/json' },
          file: { contentType: acceptedTypes().join(', ') },
        },
      },
      'application/json': {
        schema: schemaRef('ImportRequest'),
        examples: { address: { value: { url: 'https://files.example/harbour.jpg' } } },
      },
    },
  },
  responses: {
    ...answersOfSending('all files are', {
      now: json('UploadList', { queued: { value: { uploads: [QUEUED_UPLOAD] } } }),
      final: json('UploadList', { completed: { value: { uploads: [COMPLETED_UPLOAD] } } }),
    }),
    ...deferredProblems(
      'bad_request',
      'import_refused',
      'request_timeout',
      'bad_multipart',
      'missing_boundary',
      'no_file',
      'empty_file',
      'bad_options',
      'bad_metadata',
      'body_cut_short',
      ...CREATING_CODES,
      'upload_interrupted',
      'upload_too_slow',
      'request_too_large',
      ...RECEIVING_CODES,
      'too_many_files',
      'too_many_fields',
      'field_too_large',
      'not_multipart',
    ),
  },
};

const putUpload: Operation = {
  operationId: 'putUpload',
  tags: TAGS,
  summary: 'Send one file with your own id',
  description: `The body is the unchanged file. The client makes the id, so it can watch the upload from its first byte,
and can send the request again after a broken connection:

- the same bytes and options again are the same upload, without a second job; others are a 409 (options count with
  their defaults);
- a later PUT takes over from a PUT that is still receiving with the same id (the earlier one ends with
  \`upload_superseded\`);
- after \`failed\`, \`cancelled\` or \`discarded\` the upload starts again; after DELETE the id is a 410.

If the file is rejected, that is also the outcome of the upload, which other clients can read. If the queue is full
at the start, the request is rejected before the body is read, and the id is not used. A digest in \`Repr-Digest\`
or \`Content-Digest\` (RFC 9530; \`sha-256\` and \`sha-512\`, others are ignored) is compared with the bytes before
they are stored. Accepted types: ${TYPES}. Waiting works as for POST.

\`\`\`
curl -T harbour.jpg -H 'Content-Disposition: attachment; filename="harbour.jpg"' https://host/uploads/0b9c6f2e-3c1d-4f6a-9a57-2f8f5d1c7e10
\`\`\``,
  parameters: [
    ...parameters('Id', 'Timeout', 'Prefer', 'Options', 'Metadata'),
    {
      name: 'Content-Disposition',
      in: 'header',
      description: 'The file name, as `filename` or `filename*` (RFC 6266). The default name is `file`.',
      schema: { type: 'string' },
      example: 'attachment; filename="harbour.jpg"',
    },
  ],
  security: CREATING_SECURITY,
  requestBody: {
    description:
      'The bytes. With `Content-Length`, a file that is too large is rejected before it is sent. ' +
      'Without it the body is accepted too, but its `percent` is unknown while it is received.',
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
      'bad_digest',
      'digest_mismatch',
      'bad_metadata',
      'empty_file',
      ...CREATING_CODES,
      'upload_interrupted',
      'upload_too_slow',
      'upload_conflict',
      'upload_superseded',
      'upload_discarded',
      'upload_gone',
      'upload_cancelled',
      ...RECEIVING_CODES,
    ),
  },
};

const getUpload: Operation = {
  operationId: 'getUpload',
  tags: TAGS,
  summary: 'Read an upload',
  description: 'Answers at once. Use `/progress` to wait for a change, and `/result` to wait for the outcome.',
  parameters: parameters('Id'),
  responses: {
    '200': {
      description: 'The upload, in any state.',
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
    'Stops all work on the upload and removes its files, including variants. ' +
    'Held answers for the upload end at once, with state `cancelled`. Later requests get a 410.',
  parameters: parameters('Id'),
  responses: { '204': { description: 'Deleted.' }, ...problems('bad_upload_id', 'unknown_upload', 'upload_gone') },
};

const cancelUpload: Operation = {
  operationId: 'cancelUpload',
  tags: TAGS,
  summary: 'Cancel an upload',
  description:
    'Stops receiving, waiting or processing, in any process. An upload that is already final keeps its outcome.',
  parameters: parameters('Id'),
  responses: {
    '200': {
      description: 'The upload was already final, with this outcome.',
      content: json('Upload', { completed: { value: COMPLETED_UPLOAD } }),
    },
    '202': { description: 'Cancelled.', content: json('Upload') },
    ...problems('bad_upload_id', 'unknown_upload', 'upload_gone'),
  },
};

/** Operations that send, read, cancel and delete uploads. */
export const UPLOAD_PATHS: Paths = {
  '/uploads': { post: createUploads, get: listUploads },
  '/uploads/{id}': { put: putUpload, get: getUpload, delete: deleteUpload },
  '/uploads/{id}/cancel': { post: cancelUpload },
};
