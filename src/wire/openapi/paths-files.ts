import { PICTURE_FORMATS } from '../../kinds/picture-options.ts';
import { EXAMPLE_PUBLIC_ID } from './examples.ts';
import { parameters } from './parameters.ts';
import { deferredProblems, headers, problems } from './responses.ts';
import type { Content, Header, Operation, Paths, Response } from './shapes.ts';

const TAGS = ['Files'];

const binary = { schema: { type: 'string', format: 'binary' } };

const ORIGINAL: Content = { '*/*': binary };
const DERIVED: Content = {
  ...Object.fromEntries(PICTURE_FORMATS.map((format) => [`image/${format}`, binary])),
  'application/jsonl': binary,
};

const cacheControl = (value: string): Header => ({ description: `\`${value}\`.`, schema: { type: 'string' } });

/** 206 and 304, which files of any kind answer alike. */
function partAndUnchanged(content: Content): Record<'206' | '304', Response> {
  return {
    '206': {
      description: 'The part that `Range` asked for.',
      headers: headers('ETag', 'Content-Range', 'Accept-Ranges'),
      content,
    },
    '304': { description: 'The bytes are those that `If-None-Match` names.', headers: headers('ETag') },
  };
}

const getVariant: Operation = {
  operationId: 'getVariant',
  tags: TAGS,
  summary: 'A file made of the upload, as soon as it exists',
  description: `Held until the file exists, so that an \`<img>\` may point here from the first moment, on a page without script too. Where
the time is up first, the answer for a picture is a placeholder: a 200, so that it is shown, never cached, and marked with
\`X-Timed-Out: true\`. For the rows of a table it is a 503 with \`Retry-After\`.

The public id reads these files and nothing else. Other sites may embed a picture. It carries no GPS position, and no other EXIF
but what \`keepMetadata\` asked for.

The rows of a table are an attachment, \`rows.jsonl\`: one JSON object a line, cells by the names of their columns, null where one is
empty. A column holds numbers or truth values in all of them or in none; numbers stand as they were written.`,
  parameters: [
    {
      name: 'publicId',
      in: 'path',
      required: true,
      description: 'The `publicId` of the Upload; `links.variants` has it.',
      schema: { type: 'string' },
      example: EXAMPLE_PUBLIC_ID,
    },
    {
      name: 'name',
      in: 'path',
      required: true,
      description:
        'Of a picture one of the names that the options gave; without options there are `1600`, `640` and `160`, unless the service is set otherwise. Of a table `rows.jsonl`.',
      schema: { type: 'string' },
      example: '640',
    },
    ...parameters('Timeout', 'Prefer', 'Range', 'IfRange', 'IfMatch', 'IfNoneMatch'),
  ],
  responses: {
    '200': {
      description:
        'The file, cacheable for ever; or, for a picture, the placeholder (`image/svg+xml`), to be asked for again.',
      headers: {
        'Cache-Control': cacheControl('public, max-age=31536000, immutable` or, for the placeholder, `no-store'),
        ...headers('ETag', 'Accept-Ranges', 'X-Timed-Out', 'Preference-Applied'),
      },
      content: { ...DERIVED, 'image/svg+xml': { schema: { type: 'string' } } },
    },
    ...partAndUnchanged(DERIVED),
    ...deferredProblems(
      'unknown_variant',
      'unknown_upload',
      'precondition_failed',
      'range_not_satisfiable',
      'deferred_timeout',
    ),
  },
};

const getContent: Operation = {
  operationId: 'getContent',
  tags: TAGS,
  summary: 'The bytes as uploaded',
  description:
    'Answered as an attachment under the name it was sent with, EXIF and all; `links.content` is there from the moment it is stored. ' +
    'The `ETag` is the SHA-256.',
  parameters: parameters('Id', 'Range', 'IfRange', 'IfMatch', 'IfNoneMatch'),
  responses: {
    '200': {
      description: 'The whole file.',
      headers: {
        'Content-Disposition': {
          description: '`attachment`, with the file name in both forms of RFC 6266.',
          schema: { type: 'string' },
        },
        'Cache-Control': cacheControl('private, no-cache'),
        ...headers('ETag', 'Accept-Ranges'),
      },
      content: ORIGINAL,
    },
    ...partAndUnchanged(ORIGINAL),
    ...problems(
      'bad_upload_id',
      'unknown_upload',
      'content_not_stored',
      'upload_gone',
      'precondition_failed',
      'range_not_satisfiable',
    ),
  },
};

/** The files themselves: what was sent, and what was made of it. */
export const FILE_PATHS: Paths = {
  '/variants/{publicId}/{name}': { get: getVariant },
  '/uploads/{id}/content': { get: getContent },
};
