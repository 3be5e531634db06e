import type { ErrorCode } from '../../errors.ts';
import { watchedUploadsSchema } from '../base-schemas.ts';
import { inlineSchema } from './components.ts';
import { COMPLETED_UPLOAD, EXAMPLE_ID, PROCESSING_PROGRESS, TIMED_OUT_PROGRESS, UNWATCHABLE } from './examples.ts';
import { parameters } from './parameters.ts';
import { deferredProblems, headers, json, outcomeProblems } from './responses.ts';
import type { Operation, Paths } from './shapes.ts';

const TAGS = ['Progress'];

const getProgress: Operation = {
  operationId: 'getProgress',
  tags: TAGS,
  summary: 'Wait for the next change of an upload',
  description: `A long poll that misses no change. Send the version that you saw as \`since\`: the answer comes at once
if the upload has another version or is final, otherwise as soon as it changes. Without a version the answer comes at
once.

1. Ask with the last version that you saw, \`GET …/progress?since=5\`.
2. Show the answer. Stop if \`final\` is true.
3. Ask again at once with its \`version\`, also if \`timedOut\` is true.

\`If-None-Match\` with the last \`ETag\` works like \`since\`. Then an answer without a change is a 304: the time was
up, or you have already seen the final version. \`since\` wins over it.

\`since=0\` also waits for an upload that has not begun: you may ask before the first byte is sent. If it does not begin
in time, the answer is a 404.`,
  parameters: [
    ...parameters('Id', 'Since', 'Timeout', 'Prefer'),
    {
      name: 'If-None-Match',
      in: 'header',
      description: 'The `ETag` of the last answer, compared weakly. Other values are ignored.',
      schema: { type: 'string' },
      example: 'W/"7"',
    },
  ],
  responses: {
    '200': {
      description:
        'The upload has changed or is final; or, with `timedOut: true`, the time is up and it has not changed.',
      headers: {
        ETag: { description: '`W/"<version>"`.', schema: { type: 'string' } },
        ...headers('Cache-Control', 'Preference-Applied'),
      },
      content: json('Progress', {
        moved: { value: PROCESSING_PROGRESS },
        timedOut: { summary: 'since=7, nothing new in time', value: TIMED_OUT_PROGRESS },
      }),
    },
    '304': {
      description: 'Only with `If-None-Match`: the version is still the same.',
      headers: {
        ETag: { description: '`W/"<version>"`.', schema: { type: 'string' } },
        ...headers('Cache-Control', 'Preference-Applied'),
      },
    },
    ...deferredProblems('bad_upload_id', 'bad_since', 'unknown_upload', 'upload_gone'),
  },
};

const watchUploads: Operation = {
  operationId: 'watchUploads',
  tags: TAGS,
  summary: 'Wait for the next change of any of several uploads',
  description: `One held request for a whole page. It answers as soon as one of the uploads has another version than the
one sent, with all uploads that changed. Later changes come with the next request. An id that is sent twice is answered
once. \`<id>~0\` also waits for an upload that has not begun; on timeout it is listed with its Problem. Uploads
without a version, final uploads and ids that cannot be watched are answered at once, so leave out of the next request
all uploads with \`final: true\` or with an \`error\`.

\`\`\`
GET /progress?upload=${EXAMPLE_ID}~7&upload=6f1d2c3b-8a90-4b7e-8d21-0c9e5a4b3f12~3&timeout=20000
\`\`\``,
  parameters: [
    {
      name: 'upload',
      in: 'query',
      required: true,
      description: '`<id>~<version>`, or `<id>` if you saw no version; 1 to 100 times.',
      schema: inlineSchema(watchedUploadsSchema),
      explode: true,
      example: [`${EXAMPLE_ID}~7`],
    },
    ...parameters('Timeout', 'Prefer'),
  ],
  responses: {
    '200': {
      description:
        'The uploads that changed, in the order of the request; or, with `timedOut: true`, no changed upload. ' +
        'An id that cannot be watched is listed with its Problem.',
      headers: headers('Cache-Control', 'Preference-Applied'),
      content: json('ProgressList', {
        moved: { value: { uploads: [PROCESSING_PROGRESS], timedOut: false } },
        unknown: { value: { uploads: [UNWATCHABLE], timedOut: false } },
        timedOut: { value: { uploads: [], timedOut: true } },
      }),
    },
    ...deferredProblems('bad_request'),
  },
};

/** The outcomes of an upload without a result, including a rejection of its bytes. */
const ENDS: readonly ErrorCode[] = [
  'ticket_forbids',
  'digest_mismatch',
  'import_refused',
  'import_failed',
  'bad_options',
  'empty_file',
  'upload_interrupted',
  'upload_too_slow',
  'upload_cancelled',
  'upload_discarded',
  'file_too_large',
  'unsupported_media_type',
  'picture_damaged',
  'picture_too_large',
  'picture_too_costly',
  'picture_unsupported',
  'picture_timeout',
  'picture_crashes_worker',
  'table_damaged',
  'table_encrypted',
  'table_line_too_long',
  'table_too_large',
  'file_damaged',
  'file_timeout',
  'file_too_costly',
  'file_crashes_worker',
  'processing_failed',
  'storage_full',
  'storage_unavailable',
  'queue_full',
  'too_many_queued_by_address',
  'too_many_uploads',
  'quota_exceeded',
];

const getResult: Operation = {
  operationId: 'getResult',
  tags: TAGS,
  summary: 'Wait for the outcome of an upload',
  description: `Held until the upload is final. A completed upload is a 200. Any other outcome is its Problem, with
\`state\` and \`final: true\`: 422 if the file could not be parsed, 410 if the upload was cancelled or discarded, 500 if
it failed because of a fault of the service, and the status of the rejection (such as 413 or 415) if the file was
rejected. A final outcome is never a 408, 429, 503 or 507 and has no \`Retry-After\`, because asking again gives the
same. Its \`code\` says what happened.

A Problem without \`final\` is about this request, not about the upload.`,
  parameters: parameters('Id', 'Timeout', 'Prefer'),
  responses: {
    '200': {
      description: 'The upload is completed, with its `result`.',
      headers: headers('Cache-Control', 'Preference-Applied'),
      content: json('Upload', { completed: { value: COMPLETED_UPLOAD } }),
    },
    '202': {
      description:
        'The time was up before the upload was final. The answer is its Progress with `timedOut: true`. Ask again ' +
        'after `Retry-After`.',
      headers: headers('Retry-After', 'Cache-Control', 'Preference-Applied'),
      content: json('Progress', { timedOut: { value: TIMED_OUT_PROGRESS } }),
    },
    ...outcomeProblems(ENDS, ['bad_upload_id', 'unknown_upload', 'upload_gone']),
  },
};

const streamProgress: Operation = {
  operationId: 'streamProgress',
  tags: TAGS,
  summary: 'Follow an upload as Server-Sent Events',
  description: `For \`EventSource\`. Each event has the name \`progress\`, the version as \`id\`, and a Progress as JSON
in one line of \`data\`. The first event comes at once, unless \`Last-Event-ID\` or \`since\` has its version. A slow
reader receives the newest state, not every change. Comments keep the connection open, and \`retry\` makes the browser
reconnect soon. After the final event the stream ends; an \`EventSource\` then reconnects, receives 204, and stops.
Every stream ends after ten times \`DEFERRED_MAX_TIMEOUT_MS\`, and an \`EventSource\` reconnects. One address may have
ten streams of one upload.

With \`since=0\` the stream of an upload that has not begun is held until it begins, for the time of \`timeout\` or
\`Prefer: wait\`. If it does not begin in time, the answer is a 404, after which an \`EventSource\` stops.`,
  parameters: [
    ...parameters('Id', 'Since', 'Timeout', 'Prefer'),
    {
      name: 'Last-Event-ID',
      in: 'header',
      description:
        'The last version seen. Browsers send it when they reconnect. Wins over `since`. Other values are ignored.',
      schema: { type: 'string' },
      example: '7',
    },
    {
      name: 'lastEventId',
      in: 'query',
      description: 'The same as `Last-Event-ID`, for libraries that cannot send this header.',
      schema: { type: 'string' },
      example: '7',
    },
  ],
  responses: {
    '200': {
      description: 'The stream.',
      headers: headers('Cache-Control'),
      content: {
        'text/event-stream': {
          schema: { type: 'string', description: 'Each `data` is a Progress.' },
          examples: {
            one: {
              value: `id: ${PROCESSING_PROGRESS.version}\nevent: progress\ndata: ${JSON.stringify(PROCESSING_PROGRESS)}\n\n`,
            },
          },
        },
      },
    },
    '204': { description: 'You have seen the final version. Do not reconnect.' },
    ...deferredProblems('bad_upload_id', 'bad_since', 'unknown_upload', 'upload_gone'),
  },
};

/** Operations that wait for changes of uploads. */
export const PROGRESS_PATHS: Paths = {
  '/uploads/{id}/progress': { get: getProgress },
  '/progress': { get: watchUploads },
  '/uploads/{id}/result': { get: getResult },
  '/uploads/{id}/events': { get: streamProgress },
};
