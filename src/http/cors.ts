import cors from '@koa/cors';
import type { Context, Middleware } from 'koa';
import { ANY_ORIGIN } from '../access/own-origin.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Request headers that a page of another origin may send, including those of the tus protocol. */
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

/** No browser caches the answer to a preflight for longer. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Allows pages of other origins to use the API (CORS of the Fetch standard). `origins` are origins as a browser sends
 * them, or only `ANY_ORIGIN`. Credentials are never allowed. Every answer has `Vary: Origin`, so that no cache sends
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
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: ANSWER_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // Errors are answered further down, with the headers that are already set.
    keepHeadersOnError: false,
  });
}
