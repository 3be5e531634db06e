import { z } from 'zod';
import { bytes, count } from './base-schemas.ts';

const acceptedTypeSchema = z.strictObject({
  type: z.string().min(1).describe('Media type, as determined from the bytes.'),
  kind: z.string().min(1).describe('`picture`, `table`, or the name of a kind that `PROCESSORS` has added.'),
  extensions: z
    .array(z.string().min(1))
    .describe(
      'Usual extensions of such files, in lower case, the most common one first. Empty if they are not known: then a ' +
        'file with any name may have this type.',
    ),
});

/** Answer of `GET /limits`. */
export const limitsSchema = z
  .strictObject({
    maxFileBytes: bytes.describe('Maximum size of one file in bytes.'),
    maxRequestBytes: bytes.describe('Maximum size of one form with all its files in bytes.'),
    maxFiles: count
      .nullable()
      .describe('Number of uploads that all requests with the ticket may create together. Null: no limit.'),
    maxFilesPerRequest: count.describe('Maximum number of files in one form.'),
    types: z.array(acceptedTypeSchema).describe('All accepted media types.'),
    retentionMs: count.describe('How long an upload and its files are kept after it is final, in milliseconds.'),
    direct: z.boolean().describe('True if files may be sent straight to the bucket.'),
    access: z.enum(['open', 'keys']).describe('`keys`: uploads need a ticket or an API key.'),
  })
  .describe('What may be sent. With a ticket or an API key, what its holder may send.');
