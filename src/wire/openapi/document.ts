import { withAccessProblems } from './access-problems.ts';
import { componentSchemas } from './components.ts';
import { PARAMETERS } from './parameters.ts';
import { FILE_PATHS } from './paths-files.ts';
import { OPERATOR_PATHS, OPERATOR_SECURITY_SCHEMES } from './paths-operators.ts';
import { PROGRESS_PATHS } from './paths-progress.ts';
import { SERVICE_PATHS } from './paths-service.ts';
import { TUS_PATHS } from './paths-tus.ts';
import { UPLOAD_PATHS } from './paths-uploads.ts';
import { HEADERS, problemResponse } from './responses.ts';
import type { OpenApiDocument } from './shapes.ts';
import { VERSION } from '../../version.ts';

const DESCRIPTION = `Send files, follow how they are digested, and fetch what was made of them.

## An upload in two requests

\`\`\`
curl -F file=@harbour.jpg https://host/uploads                   # 202, with the Upload
curl 'https://host/uploads/{id}/result?timeout=20000'            # 200, as soon as there is a result
\`\`\`

or in one, \`curl -F file=@harbour.jpg 'https://host/uploads?timeout=20000'\`. To show progress in between, ask \`/uploads/{id}/progress\`
again and again with the version last seen.

## Deferred answers

Operations with a parameter \`timeout\` may hold their answer until there is something to say.

- \`?timeout=<milliseconds>\` or \`Prefer: wait=<seconds>\` says how long; the query wins. Without either it is 25 seconds less a little
  jitter, unless the service is set otherwise; POST and PUT of uploads then do not wait at all.
- \`0\` answers at once. What exceeds the most that the service holds (50 seconds unless set otherwise) is cut to that, so give the client's
  own timeout ten seconds more.
- When the time is up the answer is a timeout value: what is known now, marked with \`timedOut: true\` or, where there is nothing to mark,
  by its status (202, 304) or a header. It is no error. Ask again.
- A client that goes away leaves nothing behind, and no poll takes anything from another one.
- A service that stops answers everything it holds with its timeout value.
- Deferred answers are \`Cache-Control: no-store\`.

## Versions

Each upload has a \`version\` that grows with every change of it. A poll that carries the version it has seen answers at once when the
upload is at another one, whichever process it reaches, so no change is lost between two polls. Compare versions of one upload for being
equal, nothing else.

## Pages of other origins

Where the service is set to (\`CORS_ORIGINS\`), it lets pages of other origins use every operation and read every answer, errors included:
no credentials, and all headers of this document both ways. A request that changes something is refused with 403 \`foreign_origin\` if its
\`Origin\` is neither the host it was sent to nor one of those, or if it says \`Sec-Fetch-Site: cross-site\` without an \`Origin\`.

## Errors

Every 4xx and 5xx answer is a Problem (RFC 9457). Switch on \`code\`; the schema Problem lists all of them. An address that does not exist
is a 404 \`not_found\`; a method that an address does not take is a 405 with \`Allow\`. \`Retry-After\` says when to come again.

A \`Host\` that the service does not answer for is a 421 \`misdirected_host\`.

Every answer carries \`X-Request-Id\`: the request's own where it brought a fit one, else a new one.`;

const TAGS = [
  { name: 'Uploads', description: 'Sending, reading, cancelling and deleting.' },
  {
    name: 'Resumable uploads',
    description: 'The tus protocol, version 1.0, for Uppy, tus-js-client and any other client of it.',
  },
  { name: 'Progress', description: 'Held answers: how far an upload is, and what became of it.' },
  { name: 'Files', description: 'What was sent, and what was made of it.' },
  { name: 'Service', description: 'The process itself.' },
  {
    name: 'Operators',
    description: 'For those who keep the service running: there where `OPERATORS_TOKEN` is set, a 404 everywhere else.',
  },
];

/** The API's own reference, as `GET /openapi.json` answers it; every call makes a new one. */
export function openApiDocument(version: string = VERSION): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: {
      title: 'deferred-uploads',
      version,
      summary:
        'Uploads that take time to digest: streamed in, parsed behind a queue, followed through deferred responses.',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'Where this document came from.' }],
    tags: TAGS,
    paths: withAccessProblems({
      ...UPLOAD_PATHS,
      ...TUS_PATHS,
      ...PROGRESS_PATHS,
      ...FILE_PATHS,
      ...SERVICE_PATHS,
      ...OPERATOR_PATHS,
    }),
    components: {
      schemas: componentSchemas(),
      parameters: PARAMETERS,
      headers: HEADERS,
      securitySchemes: OPERATOR_SECURITY_SCHEMES,
      responses: {
        NotFound: problemResponse(['not_found']),
        MethodNotAllowed: problemResponse(['method_not_allowed']),
      },
    },
  };
}
