import { withAccessProblems } from './access-problems.ts';
import { componentSchemas } from './components.ts';
import { PARAMETERS } from './parameters.ts';
import { ARCHIVE_PATHS } from './paths-archive.ts';
import { DIRECT_PATHS } from './paths-direct.ts';
import { FILE_PATHS } from './paths-files.ts';
import { LIMIT_PATHS } from './paths-limits.ts';
import { OPERATOR_PATHS, OPERATOR_SECURITY_SCHEMES } from './paths-operators.ts';
import { PROGRESS_PATHS } from './paths-progress.ts';
import { SERVICE_PATHS } from './paths-service.ts';
import { TENANT_PATHS } from './paths-tenants.ts';
import { RESUMABLE_PATHS } from './paths-resumable.ts';
import { TUS_PATHS } from './paths-tus.ts';
import { TICKET_PATHS } from './paths-tickets.ts';
import { UPLOAD_PATHS } from './paths-uploads.ts';
import { HEADERS, problemResponse } from './responses.ts';
import { ACCESS_SECURITY_SCHEMES } from './security.ts';
import { WEBHOOKS } from './webhooks.ts';
import type { OpenApiDocument } from './shapes.ts';
import { VERSION } from '../../version.ts';

const DESCRIPTION = `Send files, follow their processing, and fetch the results.

## An upload in two requests

\`\`\`
curl -F file=@harbour.jpg https://host/uploads                   # 202, with the Upload
curl 'https://host/uploads/{id}/result?timeout=20000'            # 200, as soon as there is a result
\`\`\`

or in one request: \`curl -F file=@harbour.jpg 'https://host/uploads?timeout=20000'\`. To show progress in between, ask
\`/uploads/{id}/progress\` repeatedly, each time with the last version that you saw.

## Deferred answers

Operations with a parameter \`timeout\` may hold their answer until something changes.

- \`?timeout=<milliseconds>\` or \`Prefer: wait=<seconds>\` says how long. The query wins. The default is 25 seconds,
  reduced by a little jitter; POST and PUT of uploads do not wait by default.
- \`0\` answers at once. A time above the maximum of the service (50 seconds by default) is reduced to the maximum, so
  give the client's own timeout ten seconds more.
- When the time is up, the answer is a timeout value: the current state, marked with \`timedOut: true\`, or by its
  status (202, 304), or by a header. This is not an error. Ask again.
- If the client disconnects, its request ends. A poll takes nothing away from other polls.
- A process that stops answers all held requests with their timeout values.
- Deferred answers are \`Cache-Control: no-store\`.

## Versions

Each upload has a \`version\` that grows with every change. A poll with the version that you saw answers at once if the
upload has another version, in every process. So you miss no change between two polls. Only compare whether two versions
of one upload are equal.

## Who may create uploads

With \`ACCESS=open\` everyone who reaches the service. With \`ACCESS=keys\` an upload is created with an API key or with
a ticket: POST of \`/uploads\`, PUT of an id that no upload has, and POST of \`/files\`. A PUT with the id of an upload
that failed, was cancelled or was discarded creates it again. All other requests need only the id.

- A back end sends its API key as \`Authorization: Bearer\`. An API key in an address is rejected.
- A browser or an app sends a ticket: a JWT that the back end signs or gets from \`POST /tickets\`. It is sent as
  \`Authorization: Bearer\` or as the query parameter \`ticket\`. It is checked only when the upload is created.
  So it may expire while the bytes are sent.
- After a 401 with \`ticket_expired\`, get a new ticket and send the request again.

## Pages of other origins

Pages of the origins in \`CORS_ORIGINS\` may use every operation and read every answer, including errors: without
credentials, with all headers of this document in both directions. A request that changes something is rejected with 403
\`foreign_origin\` if its \`Origin\` is neither the requested host nor one of these origins, or if it has
\`Sec-Fetch-Site: cross-site\` and no \`Origin\`. Requests with an API key or a ticket in \`Authorization\` are not.

## Errors

Every 4xx and 5xx answer is a Problem (RFC 9457). Switch on \`code\`; the schema Problem lists all codes. An unknown
path is a 404 \`not_found\`. A method that a path does not support is a 405 with \`Allow\`. \`Retry-After\` says when to
try again.

A \`Host\` that is not allowed is a 421 \`misdirected_host\`.

Every answer has an \`X-Request-Id\`: that of the request if it is valid, otherwise a new one.`;

const TAGS = [
  { name: 'Uploads', description: 'Send, read, cancel and delete uploads.' },
  {
    name: 'Resumable uploads',
    description: 'The tus protocol, version 1.0, for Uppy, tus-js-client and other tus clients.',
  },
  {
    name: 'Resumable uploads of the IETF',
    description: 'draft-ietf-httpbis-resumable-upload. Only with `RESUMABLE_UPLOADS=on`, otherwise 501.',
  },
  {
    name: 'Straight to the bucket',
    description: 'Clients put parts of a file into the bucket. Only with `STORAGE=s3://…`, otherwise 501.',
  },
  { name: 'Progress', description: 'Held answers: progress and outcome of an upload.' },
  { name: 'Files', description: 'The uploaded files and the files made from them.' },
  { name: 'Access', description: 'Tickets of tenants. Only if `ACCESS` is `keys`.' },
  { name: 'Service', description: 'State of the process, and the page.' },
  { name: 'Webhooks', description: 'Requests that the service sends to `WEBHOOK_URL` about final uploads.' },
  {
    name: 'Operators',
    description: 'For the people who run the service. These paths are a 404 unless `OPERATORS_TOKEN` is set.',
  },
];

/**
 * Returns the answer of `GET /openapi.json`. Each call makes a new object. Its paths are relative to `mountPath`, which
 * is the URL of its server.
 */
export function openApiDocument(version: string = VERSION, mountPath = ''): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: {
      title: 'deferred-uploads',
      version,
      summary:
        'An upload service that stores files, processes them in the background, and reports progress in held ' +
        'responses.',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: mountPath === '' ? '/' : mountPath, description: 'The server of this document.' }],
    tags: TAGS,
    paths: withAccessProblems({
      ...LIMIT_PATHS,
      ...UPLOAD_PATHS,
      ...TUS_PATHS,
      ...RESUMABLE_PATHS,
      ...DIRECT_PATHS,
      ...PROGRESS_PATHS,
      ...FILE_PATHS,
      ...ARCHIVE_PATHS,
      ...TICKET_PATHS,
      ...SERVICE_PATHS,
      ...TENANT_PATHS,
      ...OPERATOR_PATHS,
    }),
    webhooks: WEBHOOKS,
    components: {
      schemas: componentSchemas(),
      parameters: PARAMETERS,
      headers: HEADERS,
      securitySchemes: { ...ACCESS_SECURITY_SCHEMES, ...OPERATOR_SECURITY_SCHEMES },
      responses: {
        NotFound: problemResponse(['not_found']),
        MethodNotAllowed: problemResponse(['method_not_allowed']),
      },
    },
  };
}
