import { z } from 'zod';
import { bytes, time, uploadIdSchema } from './base-schemas.ts';
import { uploadSchema } from './upload-schemas.ts';

/** S3 allows this many parts. */
export const MOST_PARTS = 10_000;

const partNumber = z.int().min(1).max(MOST_PARTS).describe('From 1.');

/** The body of `POST /uploads/direct`. */
export const directRequestSchema = z
  .strictObject({
    id: uploadIdSchema.describe('Your own id for the upload. Default: a new one.').optional(),
    fileName: z.string().describe('Name of the file.'),
    size: z.int().min(0).describe('Size of the file in bytes. Every part must have the length that follows from it.'),
    options: z.unknown().describe('Options for processing, as in the field `options` of a form.').optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
      .transform((text) => text.toLowerCase())
      .describe('SHA-256 of the file in hex. A worker checks it before it processes the file.')
      .optional(),
  })
  .describe('A file that the client puts into the bucket.');

/** The address to which one part may be put. */
export const directPartSchema = z.strictObject({
  number: partNumber,
  url: z.url().describe('PUT the bytes of the part to this address.'),
  headers: z.record(z.string(), z.string()).describe('Headers that the PUT must have.'),
  expiresAt: time.describe('The address is valid until then. Ask for a new one afterwards.'),
});

/** The answer of `POST /uploads/direct`. */
export const directUploadSchema = z
  .strictObject({
    upload: uploadSchema,
    partSize: bytes.describe('Bytes of each part. Only the last one is shorter.'),
    parts: z.array(directPartSchema).describe('The first parts. Ask for the others when you need them.'),
  })
  .describe('An upload whose parts the client puts into the bucket.');

/** The answer of `GET /uploads/{id}/direct/parts`. */
export const directPartsSchema = z.strictObject({ parts: z.array(directPartSchema) }).describe('Addresses of parts.');

/** The answer of `GET /uploads/{id}/direct/stored`. */
export const storedPartsSchema = z
  .strictObject({
    partSize: bytes.describe('Bytes of each part. Only the last one is shorter.'),
    parts: z.array(
      z.strictObject({
        number: partNumber,
        size: bytes,
        etag: z.string().describe('As `complete` needs it. `joined` if the file is complete.'),
      }),
    ),
  })
  .describe('The parts that the bucket has, by number.');

/** The body of `POST /uploads/{id}/direct/complete`. */
export const completeRequestSchema = z
  .strictObject({
    parts: z
      .array(z.strictObject({ number: partNumber, etag: z.string().min(1).max(200) }))
      .min(1)
      .max(MOST_PARTS)
      .describe('All parts in order, with the `ETag` that the bucket has answered.'),
  })
  .describe('The parts of a file.');

/** The parsed body of `POST /uploads/direct`. */
export type DirectRequest = z.infer<typeof directRequestSchema>;

/** The parsed body of `POST /uploads/{id}/direct/complete`. */
export type CompleteRequest = z.infer<typeof completeRequestSchema>;
