import type { Context, Middleware } from 'koa';
import { ServiceError, isErrorCode, toProblem, type ErrorCode } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { setCommonHeaders } from './common-headers.ts';
import { requestIdOf } from './request-scope.ts';
import { isUploadId } from './parameters.ts';

/** Jitter as a share of the pause, so that clients that were rejected together do not retry together. */
const RETRY_JITTER = 0.25;

/** Longest jitter, for long waits such as until midnight. */
const MAX_RETRY_JITTER_MS = 60_000;

/** `Retry-After` of a timeout. A client may ask again at once, and the jitter of the header spreads the clients. */
export const RETRY_AFTER_TIMEOUT_MS = 1000;

/** These headers describe the answer that the problem document replaces. */
const REPRESENTATION_HEADERS = [
  'ETag',
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
  'Last-Modified',
  'Location',
];

/** Errors of requests that could not be held. */
const NOT_HELD_CODES: ReadonlySet<ErrorCode> = new Set(['too_many_held', 'too_many_held_by_address']);

/** Returns the value of `Retry-After` in whole seconds (RFC 9110 section 10.2.3), at least 1, with jitter added. */
export function retryAfterSeconds(retryAfterMs: number): string {
  const jitterMs = Math.random() * Math.min(retryAfterMs * RETRY_JITTER, MAX_RETRY_JITTER_MS);
  return String(Math.max(1, Math.ceil((retryAfterMs + jitterMs) / 1000)));
}

/**
 * Turns every thrown error and every unanswered request into a problem document. An error that is not a `ServiceError`
 * is logged and answered as `internal_error`.
 */
export function problemResponses(log: Logger): Middleware {
  // This is no async function, because its frame would stay in memory while a response is held.
  return (ctx, next) =>
    next().then(
      () => {
        rejectUnanswered(ctx);
        setCommonHeaders(ctx);
      },
      (error: unknown) => {
        answerProblem(ctx, error, log);
        setCommonHeaders(ctx);
      },
    );
}

function rejectUnanswered(ctx: Context): void {
  if (ctx.status !== 404 || ctx.body != null || ctx.respond === false) return;
  setProblem(
    ctx,
    new ServiceError(
      'not_found',
      'There is nothing at this address. The API reference, /openapi.json, lists all addresses.',
    ),
  );
}

function answerProblem(ctx: Context, error: unknown, log: Logger): void {
  const known = asServiceError(error);
  if (known.status === 500) log.error({ err: error, requestId: requestIdOf(ctx) }, 'request failed');
  setProblem(ctx, known);
}

function setProblem(ctx: Context, known: ServiceError): void {
  for (const name of REPRESENTATION_HEADERS) ctx.remove(name);
  if (NOT_HELD_CODES.has(known.code)) {
    ctx.remove('Preference-Applied');
    // Otherwise thousands of clients that retry later keep their connections, and none are left for uploads.
    ctx.res.shouldKeepAlive = false;
  }
  for (const [name, value] of Object.entries(known.headers)) ctx.set(name, value);
  if (known.retryAfterMs !== undefined) ctx.set('Retry-After', retryAfterSeconds(known.retryAfterMs));
  ctx.set('Cache-Control', 'no-store');
  ctx.status = known.status;
  ctx.type = 'application/problem+json';
  ctx.body = JSON.stringify(toProblem(known, known.id ?? namedUpload(ctx)));
}

/** Returns the upload id in the address; undefined if the route has none. */
function namedUpload(ctx: Context): string | undefined {
  const params: unknown = ctx['params'];
  if (typeof params !== 'object' || params === null || !('id' in params)) return undefined;
  return typeof params.id === 'string' && isUploadId(params.id) ? params.id : undefined;
}

/** Converts errors of other layers, which have a code of the table. Any other error is an internal error. */
function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && isErrorCode(error.code)) {
    const retryAfterMs =
      'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? { retryAfterMs: error.retryAfterMs } : {};
    return new ServiceError(error.code, error.message, { ...retryAfterMs, cause: error });
  }
  return new ServiceError(
    'internal_error',
    'The server has an internal error. Retry, and report the id in X-Request-Id if it happens again.',
    { cause: error },
  );
}
