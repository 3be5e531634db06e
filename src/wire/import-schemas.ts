import { z } from 'zod';

/** The body of `POST /uploads` with `Content-Type: application/json`. */
export const importRequestSchema = z
  .strictObject({
    url: z.string().min(1).max(2048).describe('An http or https address, without a user name or password.'),
    fileName: z.string().describe('Default: the last part of the path.').optional(),
    options: z.unknown().describe('Options for processing, as in the field `options` of a form.').optional(),
  })
  .describe('A file that a worker fetches.');

/** The parsed body of an import. */
export type ImportRequest = z.infer<typeof importRequestSchema>;
