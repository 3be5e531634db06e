import { z } from 'zod';
import { count, quotaNameSchema, uploadStateSchema } from './base-schemas.ts';
import { uploadSchema } from './upload-schemas.ts';

/** Maximum number of uploads in one page of the list, which is also the default. */
export const MAX_PAGE_UPLOADS = 100;

/** Query parameters of `GET /uploads`, as they are sent. An empty one is the same as a missing one. */
export const PAGE_QUERY = {
  state: uploadStateSchema.describe('Only uploads in this state.'),
  since: z.iso
    .datetime({ offset: true })
    .describe('Only uploads that were created at this time or later: ISO 8601 with a time zone.'),
  cursor: z.string().describe('`next` of the page before.'),
  limit: z
    .string()
    .regex(/^([1-9][0-9]?|100)$/)
    .describe(`Maximum number of uploads in the page, 1 to ${MAX_PAGE_UPLOADS}.`),
} as const;

/** Answer of `GET /uploads`. */
export const uploadPageSchema = z
  .strictObject({
    uploads: z.array(uploadSchema).describe('Newest first.'),
    next: z
      .string()
      .min(1)
      .nullable()
      .describe(
        'The `cursor` of the next page; null at the end of the list. A page may have fewer uploads than `limit`, or ' +
          'none, before the end.',
      ),
  })
  .describe('Uploads of the tenant.');

/** Answer of `GET /usage`. */
export const usageSchema = z
  .strictObject({
    tenant: z.string().min(1),
    limits: z.record(quotaNameSchema, count.nullable()).describe('Null: no limit.'),
    use: z
      .record(quotaNameSchema, count)
      .describe('The use now, of this day in UTC, and of this minute. An upload that is being received counts later.'),
  })
  .describe('The quotas of the tenant.');
