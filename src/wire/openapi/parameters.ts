import { seenVersionSchema, timeoutSchema } from '../base-schemas.ts';
import { inlineSchema, schemaRef } from './components.ts';
import { EXAMPLE_ID } from './examples.ts';
import type { Parameter, Reference } from './shapes.ts';

/** The member `components.parameters` of the document. */
export const PARAMETERS = {
  Id: {
    name: 'id',
    in: 'path',
    required: true,
    description: 'Id of the upload.',
    schema: schemaRef('UploadId'),
    example: EXAMPLE_ID,
  },
  Timeout: {
    name: 'timeout',
    in: 'query',
    description:
      'How long the answer may be held, in milliseconds: decimal digits, at most once. 0 answers at once. A ' +
      'longer time than ' +
      'the service allows (50000 by default) is reduced to that. Wins over `Prefer`.',
    schema: inlineSchema(timeoutSchema),
    example: '20000',
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description:
      '`wait=<seconds>` (RFC 7240): the same as `timeout`, in seconds. `Preference-Applied` names the wait that ' +
      'applies. ' +
      'Malformed and unknown preferences are ignored.',
    schema: { type: 'string' },
    example: 'wait=20',
  },
  Since: {
    name: 'since',
    in: 'query',
    description:
      'The `version` that the client has seen. The answer comes at once if the upload has another version: a ' +
      'greater one or, ' +
      'after Redis was restored, a smaller one. Wins over the headers for the same purpose.',
    schema: inlineSchema(seenVersionSchema),
    example: '7',
  },
  Options: {
    name: 'options',
    in: 'query',
    description:
      'Options for processing the file, as JSON: PictureOptions for a picture, TableOptions for a table. Default `{}`.',
    schema: {
      type: 'string',
      contentMediaType: 'application/json',
      contentSchema: { anyOf: [schemaRef('PictureOptions'), schemaRef('TableOptions')] },
    },
    example: '{"variants":[{"name":"card","width":400,"height":300,"fit":"cover"}]}',
  },
  Metadata: {
    name: 'metadata',
    in: 'query',
    description:
      'Metadata of the upload, as a JSON object: at most 4096 bytes and 8 levels, without members named `__proto__`, ' +
      '`constructor` or `prototype`. Only with an API key; otherwise it is ignored.',
    schema: { type: 'string', contentMediaType: 'application/json', contentSchema: { type: 'object' } },
    example: '{"order":4711}',
  },
  Range: {
    name: 'Range',
    in: 'header',
    description:
      'One range of bytes (RFC 9110 section 14), answered with 206. Several ranges are answered with the whole file.',
    schema: { type: 'string' },
    example: 'bytes=0-65535',
  },
  IfRange: {
    name: 'If-Range',
    in: 'header',
    description: 'An `ETag`. If the file has other bytes, the answer is the whole file instead of the range.',
    schema: { type: 'string' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'An `ETag`. If the file has other bytes, the answer is 412.',
    schema: { type: 'string' },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'An `ETag`. If the file still has these bytes, the answer is 304.',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, Parameter>;

/** Returns references to shared parameters. */
export function parameters(...names: (keyof typeof PARAMETERS)[]): Reference[] {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}
