import { archiveContentSchema, archiveUploadsSchema } from '../archive-schemas.ts';
import { inlineSchema } from './components.ts';
import { EXAMPLE_ID } from './examples.ts';
import { headers, problems } from './responses.ts';
import type { Operation, Paths } from './shapes.ts';

const getArchive: Operation = {
  operationId: 'getArchive',
  tags: ['Files'],
  summary: 'The files of several uploads as one zip',
  description: `\`what=original\` (the default) has the files as they were uploaded, under their names. A second
\`a.jpg\` is \`a (2).jpg\`. \`what=variants\` has the files made from them instead, in one folder for each upload:
\`a/1600.jpg\`, \`a/640.jpg\`, \`orders/rows.jsonl\`.

The archive is made while it is sent. It is not compressed, because pictures do not get smaller. \`Content-Length\` is
known from the start. Every upload must be finished and must have such files, otherwise the answer is a Problem whose
\`id\` names the upload. If an upload is deleted during the transfer, the connection is cut. One process makes 100
archives at the same time, and 20 for one client address.

\`\`\`
curl -o uploads.zip 'https://host/archive?upload=${EXAMPLE_ID}&upload=6f1d2c3b-8a90-4b7e-8d21-0c9e5a4b3f12'
\`\`\``,
  parameters: [
    {
      name: 'upload',
      in: 'query',
      required: true,
      description: 'The id of an upload; 1 to 100 times. An id that is sent twice counts once.',
      schema: inlineSchema(archiveUploadsSchema),
      explode: true,
      example: [EXAMPLE_ID],
    },
    {
      name: 'what',
      in: 'query',
      description: '`original`: the uploaded files (default). `variants`: the files made from them.',
      schema: inlineSchema(archiveContentSchema),
      example: 'variants',
    },
  ],
  responses: {
    '200': {
      description: 'The archive, as an attachment with the name `uploads.zip`.',
      headers: headers('Cache-Control'),
      content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } },
    },
    ...problems(
      'bad_request',
      'bad_upload_id',
      'unknown_upload',
      'unknown_variant',
      'upload_unfinished',
      'content_not_stored',
      'upload_gone',
      'upload_cancelled',
      'upload_discarded',
      'archive_too_large',
      'too_many_held_by_address',
      'too_many_held',
      'storage_unavailable',
    ),
  },
};

/** The operation on the files of several uploads. */
export const ARCHIVE_PATHS: Paths = { '/archive': { get: getArchive } };
