import cors from '@koa/cors';
import type { Context, Middleware } from 'koa';
import { ANY_ORIGIN } from '../access/own-origin.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Response headers that a page of another origin may read. */
const ANSWER_HEADERS = [
  'Location',
  'ETag',
  'Retry-After',
  'Preference-Applied',
  'X-Timed-Out',
  'X-Request-Id',
  'Content-Disposition',
  'Content-Range',
  'Accept-Ranges',
  'Allow',
  'WWW-Authenticate',
  'Tus-Resumable',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Checksum-Algorithm',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Defer-Length',
  'Upload-Metadata',
  'Upload-Concat',
  'Upload-Expires',
  'Upload-Complete',
  'Upload-Limit',
  'Accept-Patch',
];

/** Time for which browsers may cache the answer to a preflight. No browser caches it for longer. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Allows pages of other origins to use the API (CORS of the Fetch standard). `origins` are origins as a browser sends
 * them, or only `ANY_ORIGIN`. Credentials are never allowed, so a preflight allows any request header that it asks for:
 * client libraries add headers of their own. Every answer has `Vary: Origin`, so that no cache sends
 * the answer for one site to another.
 */
export function crossOrigin(origins: readonly string[]): Middleware {
  const known: ReadonlySet<string> = new Set(origins);
  const allowed = (origin: string): string => {
    if (known.has(ANY_ORIGIN)) return ANY_ORIGIN;
    return known.has(origin) ? origin : '';
  };
  return cors({
    origin: (ctx: Context) => allowed(ctx.get('Origin')),
    allowMethods: METHODS,
    exposeHeaders: ANSWER_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // Errors are answered further down, with the headers that are already set.
    keepHeadersOnError: false,
  });
}
