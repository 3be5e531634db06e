import type { Context, Middleware } from 'koa';
import { ServiceError } from '../errors.ts';
import { hasSeen, isWanted } from './entity-tags.ts';
import { isSafe } from './request-target.ts';

/**
 * Rejects with `precondition_failed` (412) a request that changes something and has an `If-Match` other than `*`. An
 * upload has no strong tag, so the condition is false, and the method must not be performed (RFC 9110 section 13.1.1).
 */
export function unmatchedChanges(): Middleware {
  return (ctx, next) => {
    // The routes of safe methods compare the tags.
    if (isSafe(ctx.method) || isWanted(ctx, '')) return next();
    throw new ServiceError(
      'precondition_failed',
      'This address has no ETag that If-Match could compare. Send the request without If-Match.',
    );
  };
}

/**
 * Throws `precondition_failed` (412) for `If-Match: *` if nothing exists at the address, and for `If-None-Match: *` if
 * something does (RFC 9110 sections 13.1.1 and 13.1.2). Used for requests that create the upload in their address.
 */
export async function checkExistence(ctx: Context, exists: () => Promise<boolean>): Promise<void> {
  const [mustExist, mustNotExist] = ['If-Match', 'If-None-Match'].map((name) => ctx.get(name).trim() === '*');
  if (mustExist !== true && mustNotExist !== true) return;
  const isThere = await exists();
  if (mustExist === true && !isThere)
    throw new ServiceError(
      'precondition_failed',
      'If-Match: * asks for an upload that exists, and there is none with this id. Send the request without If-Match.',
    );
  if (mustNotExist === true && isThere)
    throw new ServiceError(
      'precondition_failed',
      'If-None-Match: * asks for a new upload, and there is one with this id. Send the file with a new id.',
    );
}

/**
 * Returns true after it has answered 304, because the client has this version of the file. Throws `precondition_failed`
 * (412) if the client wants another version.
 * @param etag strong and quoted.
 */
export function answersWithoutBody(ctx: Context, etag: string): boolean {
  if (!isWanted(ctx, etag))
    throw new ServiceError(
      'precondition_failed',
      'The file has another ETag than If-Match. Request it without If-Match.',
    );
  if (!hasSeen(ctx, etag)) return false;
  ctx.status = 304;
  return true;
}
