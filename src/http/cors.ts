import cors from '@koa/cors';
import type { Context, Middleware } from 'koa';
import { ANY_ORIGIN } from '../access/own-origin.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** What a page may send beyond what every page may, the protocol of resumable uploads included. */
const REQUEST_HEADERS = [
  'Prefer',
  'If-Match',
  'If-None-Match',
  'If-Range',
  'Range',
  'Content-Disposition',
  'Content-Type',
  'Last-Event-ID',
  'X-Request-Id',
  'X-Requested-With',
  'Tus-Resumable',
  'Upload-Length',
  'Upload-Defer-Length',
  'Upload-Offset',
  'Upload-Metadata',
  'X-HTTP-Method-Override',
];

/** What a page may read beyond what every page may. */
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
  'Tus-Resumable',
  'Tus-Version',
  'Tus-Extension',
  'Tus-Max-Size',
  'Upload-Offset',
  'Upload-Length',
  'Upload-Defer-Length',
  'Upload-Metadata',
  'Upload-Expires',
];

/** How long a browser may keep the answer to a preflight; none keeps it longer. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Lets pages of other origins use the API (the Fetch standard's CORS protocol): each origin as a browser writes
 * it, or `ANY_ORIGIN` alone. Credentials are never allowed. Every answer varies by `Origin`, those to strangers
 * too, so that no cache hands one site's answer to another.
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
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: ANSWER_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // The headers stand on the response already, and errors are answered below.
    keepHeadersOnError: false,
  });
}
