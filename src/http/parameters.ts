import { parse } from 'node:querystring';
import type { Context } from 'koa';
import { ServiceError, type ServiceErrorOptions } from '../errors.ts';
import { seenVersionSchema, uploadIdSchema } from '../wire/base-schemas.ts';

/** True for a lower-case UUID of version 4. */
export function isUploadId(text: string): boolean {
  return uploadIdSchema.safeParse(text).success;
}

/** Returns the id unchanged. Throws `bad_upload_id` (400) with `options` if it is not an upload id. */
export function requireUploadId(text: string | undefined, options?: ServiceErrorOptions): string {
  if (text !== undefined && isUploadId(text)) return text;
  throw new ServiceError('bad_upload_id', 'This is not an upload id. Send a lower-case UUID of version 4.', options);
}

/** Reads the version that a client has seen. Throws `bad_since` (400) for anything else than one decimal number. */
export function parseVersion(text: string | readonly string[]): number {
  const { success, data } = seenVersionSchema.safeParse(text);
  if (success) return Number(data);
  throw new ServiceError('bad_since', 'A version must appear once and be a whole number.');
}

/**
 * Returns a parameter of the query: a list if it appears more than once, undefined if it is missing. `ctx.query` is not
 * used, because Koa keeps the parsed query in memory for as long as a response is held.
 */
export function queryParameter(ctx: Context, name: string): string | string[] | undefined {
  return parse(ctx.querystring)[name];
}
