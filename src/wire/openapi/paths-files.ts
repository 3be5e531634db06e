import { PICTURE_FORMATS } from '../../kinds/picture-options.ts';
import { CSV_TYPE, XLSX_TYPE } from '../../kinds/table.ts';
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
  [CSV_TYPE]: binary,
  [XLSX_TYPE]: binary,
};

const cacheControl = (value: string): Header => ({ description: `\`${value}\`.`, schema: { type: 'string' } });

/** Returns the answers 206 and 304, which are the same for all files. */
function partAndUnchanged(content: Content): Record<'206' | '304', Response> {
  return {
    '206': { description: 'The requested range.', headers: headers('ETag', 'Content-Range', 'Accept-Ranges'), content },
    '304': { description: 'The file still has the bytes that `If-None-Match` names.', headers: headers('ETag') },
  };
}

const getVariant: Operation = {
  operationId: 'getVariant',
  tags: TAGS,
  summary: 'A file made from the upload, as soon as it exists',
  description: `Held until the file exists, so an \`<img>\` can have this URL from the start, also on a page without
scripts. If the time is up first, the answer for a picture is a placeholder: a 200, so that browsers show it, which is
never cached and has \`X-Timed-Out: true\`. For the rows of a table it is a 503 with \`Retry-After\`.

The public id gives access only to these files. Other sites may embed a picture. It contains no GPS position, and other
EXIF data only if \`keepMetadata\` is true.

The rows of a table are an attachment, \`rows.jsonl\`: one JSON object per line, with the cells under the names of
their columns, null for an empty cell. All values of a column have the same type. Numbers are written as in the
upload. \`rows.csv\` and \`rows.xlsx\` have the same rows for spreadsheet programs. They are made while they are sent,
so they have no \`Content-Length\` and no ranges. In the CSV, a text that looks like a formula begins with an
apostrophe.`,
  parameters: [
    {
      name: 'publicId',
      in: 'path',
      required: true,
      description: 'The `publicId` of the Upload, which `links.variants` contains.',
      schema: { type: 'string' },
      example: EXAMPLE_PUBLIC_ID,
    },
    {
      name: 'name',
      in: 'path',
      required: true,
      description:
        'For a picture, a name from its options; the default names are `1600`, `640` and `160`. For a table, ' +
        '`rows.jsonl`, `rows.csv` or `rows.xlsx`.',
      schema: { type: 'string' },
      example: '640',
    },
    ...parameters('Timeout', 'Prefer', 'Range', 'IfRange', 'IfMatch', 'IfNoneMatch'),
  ],
  responses: {
    '200': {
      description:
        'The file, which never changes. For a picture that is not ready, the placeholder (`image/svg+xml`): ask again.',
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
      'table_too_large',
    ),
  },
};

const getContent: Operation = {
  operationId: 'getContent',
  tags: TAGS,
  summary: 'The bytes as uploaded',
  description:
    'The unchanged file, with its EXIF data, as an attachment under its original name. `links.content` is ' +
    'present when it is stored. ' +
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
      'upload_cancelled',
      'upload_discarded',
      'precondition_failed',
      'range_not_satisfiable',
    ),
  },
};

/** Operations on the uploaded file and the files made from it. */
export const FILE_PATHS: Paths = {
  '/variants/{publicId}/{name}': { get: getVariant },
  '/uploads/{id}/content': { get: getContent },
};
