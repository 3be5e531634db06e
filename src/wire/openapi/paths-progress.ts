import type { ErrorCode } from '../../errors.ts';
import { watchedUploadsSchema } from '../base-schemas.ts';
import { inlineSchema } from './components.ts';
import { COMPLETED_UPLOAD, EXAMPLE_ID, PROCESSING_PROGRESS, TIMED_OUT_PROGRESS, UNWATCHABLE } from './examples.ts';
import { parameters } from './parameters.ts';
import { deferredProblems, headers, json, outcomeProblems, problems } from './responses.ts';
import type { Operation, Paths } from './shapes.ts';

const TAGS = ['Progress'];

const getProgress: Operation = {
  operationId: 'getProgress',
  tags: TAGS,
  summary: 'Wait for the next change of an upload',
  description: `A long poll that misses nothing: give the version seen as \`since\`, and the answer comes at once where the upload is at another
one or is final, else as soon as it changes. Without a version the answer comes at once.

1. Ask with the version last seen, \`GET …/progress?since=5\`.
2. Show what comes. Where \`final\` is true, stop.
3. Ask again at once with its \`version\`, whether \`timedOut\` is true or not.

\`If-None-Match\` with the last \`ETag\` serves as \`since\`. Then what would be an answer without news is a 304: the time was up, or the
final version has been seen already. \`since\` wins over it.`,
  parameters: [
    ...parameters('Id', 'Since', 'Timeout', 'Prefer'),
    {
      name: 'If-None-Match',
      in: 'header',
      description: 'The `ETag` of the last answer, compared weakly. Anything but one such tag is passed over.',
      schema: { type: 'string' },
      example: 'W/"7"',
    },
  ],
  responses: {
    '200': {
      description:
        'The upload has moved or is final; or, with `timedOut: true`, it stands as it did and the time is up.',
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
      description: 'Only with `If-None-Match`: the version is still that one.',
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
  description: `One held request for a whole page: answers as soon as one of the uploads is at another version than the one given. The
answer has those that moved; a later change of another upload comes with the next request. An id that is given twice is answered once. An upload without a version, a final one and one that cannot be watched are answered at once, so leave out of the next
request what has come with \`final: true\` or with an \`error\`.

\`\`\`
GET /progress?upload=${EXAMPLE_ID}~7&upload=6f1d2c3b-8a90-4b7e-8d21-0c9e5a4b3f12~3&timeout=20000
\`\`\``,
  parameters: [
    {
      name: 'upload',
      in: 'query',
      required: true,
      description: '`<id>~<version>`, or `<id>` where no version was seen; 1 to 100 times.',
      schema: inlineSchema(watchedUploadsSchema),
      explode: true,
      example: [`${EXAMPLE_ID}~7`],
    },
    ...parameters('Timeout', 'Prefer'),
  ],
  responses: {
    '200': {
      description:
        'The uploads that moved, in the order asked; or none, with `timedOut: true`. One that cannot be watched has its Problem in its place.',
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

/** What an upload can end with other than a result, a refusal of its bytes included. */
const ENDS: readonly ErrorCode[] = [
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
  'file_crashes_worker',
  'processing_failed',
  'storage_full',
  'storage_unavailable',
  'queue_full',
  'too_many_queued_by_address',
];

const getResult: Operation = {
  operationId: 'getResult',
  tags: TAGS,
  summary: 'Wait for the outcome of an upload',
  description: `Held until the upload is final. A completed one is a 200. Any other end is its Problem, with \`state\` and \`final: true\` in
it: 422 if the file could not be parsed, 410 if the upload was cancelled or discarded, 500 if it failed for a reason of ours,
and the status that the file was refused with (such as 413 or 415) if it never got so far. A final outcome never asks to repeat the
question: it is no 408, 429, 503 or 507 and has no \`Retry-After\`; its \`code\` says what happened.

A Problem without \`final\` speaks of this request, not of the upload.`,
  parameters: parameters('Id', 'Timeout', 'Prefer'),
  responses: {
    '200': {
      description: 'Completed; `result` is there.',
      headers: headers('Cache-Control', 'Preference-Applied'),
      content: json('Upload', { completed: { value: COMPLETED_UPLOAD } }),
    },
    '202': {
      description:
        'Not final yet when the time was up: the Progress, with `timedOut: true`. Ask again after `Retry-After`.',
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
  description: `For \`EventSource\`. Each event is \`progress\`, its \`id\` the version, its \`data\` a Progress as JSON in one line.
The first comes at once, unless its version is the one that \`Last-Event-ID\` or \`since\` names. A reader that is slower than the changes
gets the newest, not each of them. Comments keep the connection open, and \`retry\` has a broken one taken up again soon. After the final event the stream ends; an \`EventSource\` then
connects again, receives 204, and stops for good. Any stream ends after ten times \`DEFERRED_MAX_TIMEOUT_MS\`, and an \`EventSource\`
connects again by itself. One address may have ten streams of one upload.`,
  parameters: [
    ...parameters('Id', 'Since'),
    {
      name: 'Last-Event-ID',
      in: 'header',
      description:
        'The version seen last; browsers send it when they connect again. Wins over `since`. What is no version is passed over.',
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
    '204': { description: 'The version seen is the final one: do not connect again.' },
    // A stream has no timeout to get wrong.
    ...problems(
      'bad_upload_id',
      'bad_since',
      'unknown_upload',
      'upload_gone',
      'too_many_held_by_address',
      'too_many_held',
      'shutting_down',
    ),
  },
};

/** The held answers on uploads: how far each is, and what became of it. */
export const PROGRESS_PATHS: Paths = {
  '/uploads/{id}/progress': { get: getProgress },
  '/progress': { get: watchUploads },
  '/uploads/{id}/result': { get: getResult },
  '/uploads/{id}/events': { get: streamProgress },
};
