import type { IssuedTicket } from '../documents.ts';
import { schemaRef } from './components.ts';
import { headers, json, onlyProblems } from './responses.ts';
import { API_KEY_SECURITY } from './security.ts';
import type { Operation, Paths } from './shapes.ts';

const TICKET: IssuedTicket = {
  ticket: 'eyJhbGciOiJIUzI1NiIsImtpZCI6ImFjbWUtMjAyNi0xMSJ9.eyJhdWQiOiJkZWZlcnJlZC11cGxvYWRzIn0.c2lnbmF0dXJl',
  expiresAt: '2026-03-14T09:41:53.000Z',
};

const createTicket: Operation = {
  operationId: 'createTicket',
  tags: ['Access'],
  summary: 'Sign a ticket',
  description: `For back ends that do not want to sign tickets themselves. The ticket is signed with the first key
of the tenant that can sign. Pass it to the browser or to the app that sends the file. This path is a 404 unless
\`ACCESS\` is \`keys\`.

\`\`\`
curl https://host/tickets -H "Authorization: Bearer $API_KEY" \\
  -d '{ "expiresIn": 900, "upload": { "maxFiles": 1, "types": ["image/*"] } }'
\`\`\``,
  security: API_KEY_SECURITY,
  requestBody: {
    description: 'When the ticket expires, and what it allows. The body is read as JSON with any Content-Type.',
    required: true,
    content: {
      'application/json': {
        schema: schemaRef('TicketRequest'),
        examples: { photo: { value: { expiresIn: 900, upload: { maxFiles: 1, types: ['image/*'] } } } },
      },
    },
  },
  responses: {
    '201': {
      description: 'The ticket.',
      headers: headers('Cache-Control'),
      content: json('IssuedTicket', { signed: { value: TICKET } }),
    },
    ...onlyProblems(
      'bad_request',
      'upload_interrupted',
      'unauthorized',
      'not_found',
      'request_timeout',
      'no_ticket_key',
      'request_too_large',
      'internal_error',
    ),
  },
};

/** Operations on tickets. */
export const TICKET_PATHS: Paths = { '/tickets': { post: createTicket } };
