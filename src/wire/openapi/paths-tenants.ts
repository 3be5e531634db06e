import { PAGE_QUERY } from '../tenant-schemas.ts';
import type { UploadPage, Usage } from '../documents.ts';
import { inlineSchema } from './components.ts';
import { COMPLETED_UPLOAD } from './examples.ts';
import { headers, json, problems } from './responses.ts';
import { API_KEY_SECURITY } from './security.ts';
import type { Operation, Parameter, Paths } from './shapes.ts';

const CURSOR = 'MTc3MzQ4MDQxMjYwMC4wYjljNmYyZS0zYzFkLTRmNmEtOWE1Ny0yZjhmNWQxYzdlMTA';

const PAGE: UploadPage = {
  uploads: [{ ...COMPLETED_UPLOAD, tenant: 'acme', metadata: { order: 4711 } }],
  next: CURSOR,
};

const USAGE: Usage = {
  tenant: 'acme',
  limits: {
    waiting: 500,
    receiving: 50,
    uploadsPerDay: 10_000,
    bytesPerDay: 100_000_000_000,
    storedBytes: 500_000_000_000,
    createPerMinute: null,
  },
  use: {
    waiting: 3,
    receiving: 1,
    uploadsPerDay: 412,
    bytesPerDay: 1_434_551_040,
    storedBytes: 86_010_220_331,
    createPerMinute: 4,
  },
};

function parameter(name: keyof typeof PAGE_QUERY, example: string): Parameter {
  const { description = '', ...schema } = inlineSchema(PAGE_QUERY[name]);
  return { name, in: 'query', description: String(description), schema, example };
}

/** Lists the uploads of a tenant. */
export const listUploads: Operation = {
  operationId: 'listUploads',
  tags: ['Access'],
  summary: 'List the uploads of the tenant',
  description: `Newest first by \`createdAt\`, without deleted and expired uploads. Send \`next\` as \`cursor\`,
with the same \`state\` and \`since\`, until it is null. Uploads that are created meanwhile do not move the pages. This
path has no GET unless \`ACCESS\` is \`keys\`.

\`\`\`
curl 'https://host/uploads?state=failed' -H "Authorization: Bearer $API_KEY"
\`\`\``,
  parameters: [
    parameter('state', 'failed'),
    parameter('since', '2026-03-14T00:00:00Z'),
    parameter('cursor', CURSOR),
    parameter('limit', '20'),
  ],
  security: API_KEY_SECURITY,
  responses: {
    '200': {
      description: 'A page of the list.',
      headers: headers('Cache-Control'),
      content: json('UploadPage', { some: { value: PAGE } }),
    },
    ...problems('bad_request', 'unauthorized'),
  },
};

const getUsage: Operation = {
  operationId: 'getUsage',
  tags: ['Access'],
  summary: 'Read the quotas of the tenant',
  description:
    'The limits of the access file, and what the tenant uses. This path is a 404 unless `ACCESS` is `keys`. ' +
    'The announced sizes of uploads that are being received count for the limits too, but not in `use`.',
  security: API_KEY_SECURITY,
  responses: {
    '200': {
      description: 'The quotas.',
      headers: headers('Cache-Control'),
      content: json('Usage', { some: { value: USAGE } }),
    },
    ...problems('unauthorized', 'not_found'),
  },
};

/** Operations of a tenant's back end, besides the list. */
export const TENANT_PATHS: Paths = { '/usage': { get: getUsage } };
