import { z } from 'zod';
import { ERROR_CODES, statusOf, titleOf } from '../errors.ts';
import { pictureResultSchema } from './picture-schemas.ts';
import { anyProblemSchema, bytes, count, path, time, uploadIdSchema, uploadStateSchema } from './base-schemas.ts';
import { tableResultSchema } from './table-schemas.ts';

/** Absolute paths; refuses a whole URL. */
export const linksSchema = z
  .strictObject({
    self: path,
    progress: path,
    result: path,
    events: path,
    cancel: path,
    variants: path.describe(
      'Followed by `/{name}`, each picture made of the upload. The one link that may be shown to others.',
    ),
    content: path.describe('There once the bytes are stored.').exactOptional(),
  })
  .describe('Where to go next: absolute paths at this same host.');

const version = z
  .int()
  .min(1)
  .describe('Grows with every change of the upload. Give back the last one seen as `since`, and no change is missed.');

/** Refuses members that are not documented, as do all below it. */
export const progressSchema = z
  .strictObject({
    id: uploadIdSchema,
    state: uploadStateSchema,
    version,
    percent: z
      .number()
      .min(0)
      .max(100)
      .describe('Never goes down within an upload; 100 only when `state` is `completed`.'),
    stage: z
      .string()
      .min(1)
      .describe(
        '`receive`, `queue`, `inspect`, a step of the processor, or `done`. New steps may come: show them, do not switch on them.',
      ),
    bytes: z.strictObject({ received: bytes, total: bytes.nullable().describe('Null where the sender did not say.') }),
    attempt: count.describe(
      'Counts the workers that have taken the upload up; a retry shows here and takes no percent back.',
    ),
    queuePosition: z
      .int()
      .min(1)
      .nullable()
      .describe('1 is next; null unless queued. Computed when read, so it moves without a new version.'),
    etaMs: count
      .nullable()
      .describe('Milliseconds to the end of the present phase; null until it can be estimated. Computed when read.'),
    updatedAt: time,
    final: z.boolean().describe('Nothing changes any more: stop polling.'),
    timedOut: z
      .boolean()
      .describe('True where the time to hold the answer was up before what was asked for had come: ask again.'),
    links: linksSchema,
  })
  .describe('How far an upload has come.');

/** Lists every code as a Markdown table. */
function codeTable(): string {
  const rows = ERROR_CODES.map((code) => `| \`${code}\` | ${statusOf(code)} | ${titleOf(code)} |`);
  return ['| code | status | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

// Typed as strings, because clients must accept codes that are added later.
const codes: readonly string[] = ERROR_CODES;

/** Rejects codes that are not in the table of errors. */
export const problemSchema = anyProblemSchema
  .extend({ code: z.enum(codes).describe(anyProblemSchema.shape.code.description ?? '') })
  .describe(`Every 4xx and 5xx answer (RFC 9457, \`application/problem+json\`).\n\n${codeTable()}`);

/** Refuses a `kind` that no processor has; a new kind is one more line here. */
export const resultSchema = z
  .discriminatedUnion('kind', [pictureResultSchema, tableResultSchema])
  .describe('What processing made of an upload; `kind` tells which processor. Kinds may be added.');

const file = z.strictObject({
  name: z.string().min(1).describe('As sent, without a path and without what cannot be shown.'),
  type: z
    .string()
    .min(1)
    .nullable()
    .describe('What the bytes are, whatever the sender claimed; null until enough of them came.'),
  size: bytes,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .describe('Null until stored; where workers take it, null until completed.'),
});

/** Checks each member by itself, not that they agree, such as `state` with `result`. */
export const uploadSchema = z
  .strictObject({
    id: uploadIdSchema,
    state: uploadStateSchema,
    version,
    file,
    progress: progressSchema,
    result: resultSchema.nullable().describe('Null unless completed.'),
    error: problemSchema.nullable().describe('Null unless failed.'),
    createdAt: time,
    updatedAt: time,
    expiresAt: time.nullable().describe('When the upload and its files are removed; null until it is final.'),
    publicId: z
      .string()
      .min(1)
      .describe('Reads variants and nothing else, so it may be shown to others; `id` may not.'),
    links: linksSchema,
  })
  .describe('One file sent by a client, from its first byte to its result.');

/** Answer of `POST /uploads`. */
export const uploadListSchema = z
  .strictObject({ uploads: z.array(uploadSchema) })
  .describe('Uploads in the order in which their files were sent.');

/** Its `id` may be anything: it is what the client sent. */
export const unwatchableUploadSchema = z
  .strictObject({ id: z.string().describe('As it was asked for.'), error: problemSchema })
  .describe(
    'Stands in place of a Progress for an upload that cannot be watched: `bad_upload_id`, `bad_since`, `unknown_upload` or `upload_gone`.',
  );

/** Answer of `GET /progress`. */
export const progressListSchema = z
  .strictObject({
    uploads: z.array(z.union([progressSchema, unwatchableUploadSchema])),
    timedOut: z.boolean().describe('True where nothing had moved when the time was up; `uploads` is empty then.'),
  })
  .describe('The watched uploads that moved.');

/** Answer of `GET /healthz` and, with `ready`, of `GET /readyz`. */
export const serviceStatusSchema = z
  .strictObject({
    status: z.enum(['ok', 'ready']),
    workers: z.int().nonnegative().optional().describe('Worker processes that are alive; only in `/readyz`.'),
  })
  .describe('A service that is well.');
