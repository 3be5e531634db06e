import { z } from 'zod';
import type { JsonObject } from '../access/caller.ts';

/** A ticket is valid for at most this time. */
export const MAX_TICKET_SECONDS = 86_400;

/** The metadata of a ticket has at most this many bytes of JSON. */
export const MAX_METADATA_BYTES = 4096;

/** Maximum depth of metadata. No application needs more. Much deeper ones would overflow the stack of code. */
const MAX_METADATA_LEVELS = 8;

/** With one of these names, code of an application that copies the metadata could change the prototype of objects. */
const UNSAFE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Maximum number of types in a ticket. A ticket with the longest metadata has space for them. */
const MAX_TYPES = 50;

/** Application metadata of an upload, as it is in a ticket. */
export const metadataSchema = z
  .unknown()
  .superRefine((value, context) => {
    const fault = metadataFault(value);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  })
  // The value comes from JSON, so its members are JSON values.
  .transform((value) => value as JsonObject)
  .meta({
    type: 'object',
    description: `Metadata of the upload from the application: at most ${MAX_METADATA_BYTES} bytes of JSON.`,
  });

/** The name of a preset. */
export const presetNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - or _')
  .describe('Name of a preset of the access file, which fixes the options.');

/** The member `upload` of a ticket. */
export const ticketUploadSchema = z
  .strictObject({
    maxFiles: z
      .int()
      .min(1)
      .max(1_000_000)
      .describe('Number of uploads that all requests with this ticket may create together.')
      .optional(),
    maxFileBytes: z.int().min(1).describe('Maximum size of one file in bytes.').optional(),
    types: z
      .array(
        z
          .string()
          .max(100)
          .regex(
            /^(\*\/\*|[A-Za-z0-9][\w!#$&^.+-]*\/(\*|[A-Za-z0-9][\w!#$&^.+-]*))$/,
            'must be a media type such as image/png, image/* or */*',
          )
          .transform((type) => type.toLowerCase()),
      )
      .min(1)
      .max(MAX_TYPES)
      .describe('Accepted media types, as determined from the bytes. `image/*` stands for all pictures, `*/*` for all.')
      .optional(),
    preset: presetNameSchema.optional(),
    metadata: metadataSchema.optional(),
    lane: z
      .enum(['live', 'batch'])
      .describe('`live`: somebody waits for the result. `batch`: it may wait. Default: `live`.')
      .optional(),
    import: z.boolean().describe('True if uploads may be imported from an address.').optional(),
  })
  .describe('What the ticket allows. A member that is left out sets no limit.');

/** The body of `POST /tickets`. */
export const ticketRequestSchema = z
  .strictObject({
    expiresIn: z.int().min(1).max(MAX_TICKET_SECONDS).describe('Seconds until the ticket expires.'),
    upload: ticketUploadSchema.optional(),
  })
  .describe('A ticket to sign.');

/** The answer of `POST /tickets`. */
export const issuedTicketSchema = z
  .strictObject({
    ticket: z.string().min(1).describe('A JWT. It allows uploads to be created, so pass it only to the uploader.'),
    expiresAt: z.iso.datetime().describe('UTC. Nothing can be created after it, except for 30 seconds of leeway.'),
  })
  .describe('A signed ticket.');

/** The parsed body of `POST /tickets`. */
export type TicketRequest = z.infer<typeof ticketRequestSchema>;

/** The parsed member `upload` of a ticket. */
export type TicketUpload = z.infer<typeof ticketUploadSchema>;

/** Returns the first fault. Undefined for valid metadata. */
function metadataFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object';
  let objects: object[] = [value];
  for (let level = 1; objects.length > 0; level += 1) {
    if (level > MAX_METADATA_LEVELS) return `must have at most ${MAX_METADATA_LEVELS} levels`;
    const unsafe = objects.flatMap((item) => Object.keys(item)).find((name) => UNSAFE_NAMES.has(name));
    if (unsafe !== undefined) return `must have no member ${unsafe}`;
    objects = objects.flatMap((item) => (Object.values(item) as unknown[]).filter(isObject));
  }
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes <= MAX_METADATA_BYTES ? undefined : `must have at most ${MAX_METADATA_BYTES} bytes of JSON`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
