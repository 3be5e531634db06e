import type { Limits } from '../documents.ts';
import { json, onlyProblems } from './responses.ts';
import { CREATING_SECURITY } from './security.ts';
import type { Operation, Paths } from './shapes.ts';

const LIMITS: Limits = {
  maxFileBytes: 104_857_600,
  maxRequestBytes: 1_073_741_824,
  maxFiles: null,
  maxFilesPerRequest: 100,
  types: [
    { type: 'image/jpeg', kind: 'picture', extensions: ['jpg', 'jpeg', 'jfif'] },
    { type: 'text/csv', kind: 'table', extensions: ['csv', 'txt'] },
  ],
  retentionMs: 86_400_000,
  direct: false,
  access: 'open',
};

const getLimits: Operation = {
  operationId: 'getLimits',
  tags: ['Uploads'],
  summary: 'What may be sent',
  description: `For front ends that check a file before they send it. With a ticket or an API key, the answer has the
limits of its holder if they are lower: \`maxFileBytes\`, \`maxFiles\` and \`types\`. Without one it has those of the
service, also if \`access\` is \`keys\`. The answer may be cached for a minute.

The service checks each file again, and determines its type from the bytes. So reject a file by its name only if no type
has its extension and every type has at least one.`,
  security: CREATING_SECURITY,
  responses: {
    '200': {
      description: 'The limits.',
      headers: {
        'Cache-Control': {
          description: '`public, max-age=60`, or `private` with a ticket.',
          schema: { type: 'string' },
        },
      },
      content: json('Limits', { open: { value: LIMITS } }),
    },
    ...onlyProblems('bad_request', 'ticket_invalid', 'ticket_expired', 'ticket_forbids', 'internal_error'),
  },
};

/** The address that front ends read before they send a file. */
export const LIMIT_PATHS: Paths = { '/limits': { get: getLimits } };
