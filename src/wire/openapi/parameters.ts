import { seenVersionSchema, timeoutSchema } from '../base-schemas.ts';
import { inlineSchema, schemaRef } from './components.ts';
import { EXAMPLE_ID } from './examples.ts';
import type { Parameter, Reference } from './shapes.ts';

/** What stands under `components.parameters`. */
export const PARAMETERS = {
  Id: {
    name: 'id',
    in: 'path',
    required: true,
    description: 'The upload.',
    schema: schemaRef('UploadId'),
    example: EXAMPLE_ID,
  },
  Timeout: {
    name: 'timeout',
    in: 'query',
    description:
      'How long the answer may be held, in milliseconds: decimal digits, given once. 0 answers at once; what exceeds the most that ' +
      'the service holds (50000 unless set otherwise) is cut to that. Wins over `Prefer`.',
    schema: inlineSchema(timeoutSchema),
    example: '20000',
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description:
      '`wait=<seconds>` (RFC 7240): the same as `timeout`, in seconds. `Preference-Applied` names the wait that counts. ' +
      'What is malformed or unknown is passed over.',
    schema: { type: 'string' },
    example: 'wait=20',
  },
  Since: {
    name: 'since',
    in: 'query',
    description:
      'The `version` that the client has seen. The answer comes at once where the upload is at another one, greater or, after a ' +
      'restore of the service, smaller. Wins over the headers that say the same.',
    schema: inlineSchema(seenVersionSchema),
    example: '7',
  },
  Options: {
    name: 'options',
    in: 'query',
    description:
      'What is to be made of the file, as JSON: PictureOptions for a picture, TableOptions for a table. `{}` is the default.',
    schema: {
      type: 'string',
      contentMediaType: 'application/json',
      contentSchema: { anyOf: [schemaRef('PictureOptions'), schemaRef('TableOptions')] },
    },
    example: '{"variants":[{"name":"card","width":400,"height":300,"fit":"cover"}]}',
  },
  Range: {
    name: 'Range',
    in: 'header',
    description:
      'One range of bytes (RFC 9110 section 14), answered with 206. Several at once are answered with the whole.',
    schema: { type: 'string' },
    example: 'bytes=0-65535',
  },
  IfRange: {
    name: 'If-Range',
    in: 'header',
    description: 'An `ETag`: where the bytes are others by now, the whole is answered instead of the range.',
    schema: { type: 'string' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'An `ETag`: 412 where the bytes are others.',
    schema: { type: 'string' },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'An `ETag`: 304 where the bytes are still the same.',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, Parameter>;

/** Points each name to the shared parameter. */
export function parameters(...names: (keyof typeof PARAMETERS)[]): Reference[] {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}
