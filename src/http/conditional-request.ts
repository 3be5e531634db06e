import type { Context } from 'koa';
import { ServiceError } from '../errors.ts';
import { hasSeen, isWanted } from './entity-tags.ts';

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
