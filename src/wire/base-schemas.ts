import { z } from 'zod';

/** A whole number from 0. */
export const count = z.int().min(0);

/** A size in bytes. */
export const bytes = count.describe('Bytes.');

/** An absolute path at the same host, as a link. */
export const path = z.string().regex(/^\//);

/** A time as ISO 8601 in UTC. */
export const time = z.iso.datetime().describe('UTC.');

/** A warning in a result. Codes may be added. */
export const warning = z.strictObject({
  code: z.string().min(1).describe('Codes may be added.'),
  message: z.string().min(1),
});

/** An upload id (RFC 9562 section 5.4). */
export const uploadIdSchema = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  .meta({
    format: 'uuid',
    description:
      'A lower-case UUID of version 4. Anyone who knows it may read, cancel and delete the upload, so keep it secret.',
  });

/** Milliseconds in the query. A string, because a number of JSON Schema would allow `1e3`. */
export const timeoutSchema = z.string().regex(/^[0-9]+$/);

/** A version in the query. */
export const seenVersionSchema = z.string().regex(/^[0-9]{1,15}$/);

/** Maximum number of uploads that one request of `GET /progress` watches. */
export const MAX_WATCHED_UPLOADS = 100;

/** The uploads that one request of `GET /progress` watches. */
export const watchedUploadsSchema = z.array(z.string()).min(1).max(MAX_WATCHED_UPLOADS);

/** All states, in the order in which an upload may pass through them. */
export const uploadStateSchema = z
  .enum(['receiving', 'queued', 'processing', 'completed', 'failed', 'cancelled', 'discarded'])
  .describe(
    'The last four are final. `discarded`: the queue was full, and this upload, the oldest that waited, was removed.',
  );

/** The state of an upload. The last four are final: no upload leaves them. */
export type UploadState = z.infer<typeof uploadStateSchema>;

/** The quotas of a tenant, with the names of the access file. */
export const quotaNameSchema = z.enum([
  'waiting',
  'receiving',
  'uploadsPerDay',
  'bytesPerDay',
  'storedBytes',
  'createPerMinute',
]);

/** The name of a quota. */
export type QuotaName = z.infer<typeof quotaNameSchema>;

/** A problem document (RFC 9457) with a code. The table of codes extends it in `problemSchema`. */
export const anyProblemSchema = z.strictObject({
  type: z.string().min(1).describe('`/problems/{code}`: a name, not a page.'),
  title: z.string().min(1).describe('For people. All problems with the same code have the same title.'),
  status: z.int().min(400).max(599),
  detail: z.string().min(1).describe('What happened and what the sender can do about it.'),
  code: z.string().describe('Switch on this member. Codes may be added: fall back on `status`.'),
  id: z.string().describe('The id of the upload, as it was sent.').exactOptional(),
  limit: quotaNameSchema.describe('The quota that is used up. Only with `quota_exceeded`.').exactOptional(),
  state: uploadStateSchema.exactOptional(),
  final: z
    .literal(true)
    .describe('Present, with `state`, if this is the outcome of the upload: asking again gives the same.')
    .exactOptional(),
});

/** A problem document (RFC 9457) with a code that never changes its meaning. */
export type Problem = z.infer<typeof anyProblemSchema>;
