import { z } from 'zod';
import { ERROR_CODES, statusOf, titleOf } from '../errors.ts';
import { pictureResultSchema } from './picture-schemas.ts';
import { anyProblemSchema, bytes, count, path, time, uploadIdSchema, uploadStateSchema } from './base-schemas.ts';
import { tableResultSchema } from './table-schemas.ts';

/** The URLs of one upload. Rejects anything but absolute paths. */
export const linksSchema = z
  .strictObject({
    self: path,
    progress: path,
    result: path,
    events: path,
    cancel: path,
    variants: path.describe(
      'Add `/{name}` for a picture made from the upload. Only this link may be shown to other people.',
    ),
    content: path.describe('Present when the bytes are stored.').exactOptional(),
  })
  .describe('URLs of the upload, as absolute paths at the same host.');

const version = z
  .int()
  .min(1)
  .describe(
    'Grows with every change of the upload. Send the newest version that you saw as `since`, and you miss no change.',
  );

/** Rejects members that are not documented, as all schemas of documents do. */
export const progressSchema = z
  .strictObject({
    id: uploadIdSchema,
    state: uploadStateSchema,
    version,
    percent: z
      .number()
      .min(0)
      .max(100)
      .describe('0 to 100. It never goes down within an upload, and is 100 only when `state` is `completed`.'),
    stage: z
      .string()
      .min(1)
      .describe(
        '`receive` or `fetch`, `queue`, `assemble` (parts are joined or a large file is hashed), `inspect`, a step ' +
          'of the processor, or `done`. Steps may be added: show them, but do not switch on them.',
      ),
    bytes: z.strictObject({
      received: bytes,
      total: bytes.nullable().describe('Null if the sender did not announce the size.'),
    }),
    attempt: count.describe(
      'Number of attempts at processing; 0 before the first one. A retry does not lower `percent`.',
    ),
    queuePosition: z
      .int()
      .min(1)
      .nullable()
      .describe(
        '1 is the next upload; null unless queued. Computed at each read, so it changes without a new version.',
      ),
    etaMs: count
      .nullable()
      .describe('Milliseconds to the end of the current phase; null until it can be estimated. Computed at each read.'),
    updatedAt: time,
    final: z.boolean().describe('True if nothing will change any more: stop polling.'),
    timedOut: z.boolean().describe('True if the time was up before the upload changed: ask again.'),
    links: linksSchema,
  })
  .describe('How far an upload is.');

/** Lists every code as a Markdown table. */
function codeTable(): string {
  const rows = ERROR_CODES.map((code) => `| \`${code}\` | ${statusOf(code)} | ${titleOf(code)} |`);
  return ['| code | status | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

// The codes are typed as strings, because clients must accept codes that are added later.
const codes: readonly string[] = ERROR_CODES;

/** Rejects codes that are not in the table of errors. */
export const problemSchema = anyProblemSchema
  .extend({ code: z.enum(codes).describe(anyProblemSchema.shape.code.description ?? '') })
  .describe(`Every 4xx and 5xx answer (RFC 9457, \`application/problem+json\`).\n\n${codeTable()}`);

/** Rejects a `kind` that no processor has. A new kind adds its schema here. */
export const resultSchema = z
  .discriminatedUnion('kind', [pictureResultSchema, tableResultSchema])
  .describe('The result of an upload. `kind` names the processor. Kinds may be added.');

const file = z.strictObject({
  name: z.string().min(1).describe('As sent, without a path and without characters that cannot be displayed.'),
  type: z
    .string()
    .min(1)
    .nullable()
    .describe(
      'Media type, determined from the bytes, not from what the sender claimed; null until enough bytes have arrived.',
    ),
  size: bytes,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .describe(
      'Lower-case hex. Null until stored. Null until completed if a worker computes it: of a large resumable upload, ' +
        'and with `UPLOAD_HASH=worker`.',
    ),
});

/** Checks each member on its own. It does not check that members such as `state` and `result` agree. */
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
      .describe('Gives access only to variants, so it may be shown to other people. `id` must stay secret.'),
    tenant: z.string().min(1).nullable().describe('The tenant that the upload belongs to; null in open mode.'),
    metadata: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('Metadata from the application, in the ticket or in its own request; null if there is none.'),
    links: linksSchema,
  })
  .describe('One file sent by a client, from its first byte to its result.');

/** Answer of `POST /uploads`. */
export const uploadListSchema = z
  .strictObject({ uploads: z.array(uploadSchema) })
  .describe('Uploads in the order in which their files were sent.');

/** Its `id` is the text that the client sent, so it can be anything. */
export const unwatchableUploadSchema = z
  .strictObject({ id: z.string().describe('As it was sent.'), error: problemSchema })
  .describe(
    'Replaces the Progress of an upload that cannot be watched: `bad_upload_id`, `bad_since`, ' +
      '`unknown_upload` or `upload_gone`.',
  );

/** Answer of `GET /progress`. */
export const progressListSchema = z
  .strictObject({
    uploads: z.array(z.union([progressSchema, unwatchableUploadSchema])),
    timedOut: z.boolean().describe('True if the time was up before any upload changed. Then `uploads` is empty.'),
  })
  .describe('The watched uploads that changed.');

/** Answer of `GET /healthz` and, with `ready`, of `GET /readyz`. */
export const serviceStatusSchema = z
  .strictObject({
    status: z.enum(['ok', 'ready']),
    workers: z
      .int()
      .nonnegative()
      .optional()
      .describe('Number of worker processes that are alive. Only in `/readyz`; without its details only if it is 0.'),
  })
  .describe('State of a healthy process.');
