import type { Context, Middleware } from 'koa';
import { ServiceError, isErrorCode, toProblem, type ErrorCode } from '../errors.ts';
import type { Logger } from '../telemetry/log.ts';
import { setCommonHeaders } from './common-headers.ts';
import { requestIdOf } from './request-scope.ts';
import { isUploadId } from './upload-id.ts';

/** Spreads the clients of one refusal, so that they do not come back together. */
const RETRY_JITTER = 0.25;

/** Headers of the answer that was being made and that a problem is not. */
const REPRESENTATION_HEADERS = [
  'ETag',
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
  'Last-Modified',
  'Location',
];

/** Of requests that were to be held and are not. */
const UNHELD_CODES: ReadonlySet<ErrorCode> = new Set(['too_many_held', 'too_many_held_by_address']);

/** `Retry-After` in whole seconds (RFC 9110 section 10.2.3), jittered upwards, at least 1. */
export function retryAfterSeconds(retryAfterMs: number): string {
  return String(Math.max(1, Math.ceil((retryAfterMs * (1 + Math.random() * RETRY_JITTER)) / 1000)));
}

/**
 * Turns everything thrown below it, and every answer that nobody gave, into a problem document.
 * What is not meant for clients is logged whole and answered as `internal_error`.
 */
export function problemResponses(log: Logger): Middleware {
  // No async function: its frame would be kept for as long as a response is held.
  return (ctx, next) =>
    next().then(
      () => {
        refuseUnanswered(ctx);
        setCommonHeaders(ctx);
      },
      (error: unknown) => {
        answerProblem(ctx, error, log);
        setCommonHeaders(ctx);
      },
    );
}

function refuseUnanswered(ctx: Context): void {
  if (ctx.status !== 404 || ctx.body != null || ctx.respond === false) return;
  setProblem(
    ctx,
    new ServiceError('not_found', 'There is nothing at this address. GET /openapi.json lists what there is.'),
  );
}

function answerProblem(ctx: Context, error: unknown, log: Logger): void {
  const known = asServiceError(error);
  if (known.status === 500) log.error({ err: error, requestId: requestIdOf(ctx) }, 'request failed');
  setProblem(ctx, known);
}

function setProblem(ctx: Context, known: ServiceError): void {
  for (const name of REPRESENTATION_HEADERS) ctx.remove(name);
  if (UNHELD_CODES.has(known.code)) ctx.remove('Preference-Applied');
  for (const [name, value] of Object.entries(known.headers)) ctx.set(name, value);
  if (known.retryAfterMs !== undefined) ctx.set('Retry-After', retryAfterSeconds(known.retryAfterMs));
  ctx.set('Cache-Control', 'no-store');
  ctx.status = known.status;
  ctx.type = 'application/problem+json';
  ctx.body = JSON.stringify(toProblem(known, known.id ?? namedUpload(ctx)));
}

/** The upload that the address speaks of, where a route has found one in it. */
function namedUpload(ctx: Context): string | undefined {
  const params: unknown = ctx['params'];
  if (typeof params !== 'object' || params === null || !('id' in params)) return undefined;
  return typeof params.id === 'string' && isUploadId(params.id) ? params.id : undefined;
}

/** Errors of other layers bear a code of the table and a message that is fit for clients; all else is a fault of ours. */
function asServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && isErrorCode(error.code)) {
    const retryAfterMs =
      'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? { retryAfterMs: error.retryAfterMs } : {};
    return new ServiceError(error.code, error.message, { ...retryAfterMs, cause: error });
  }
  return new ServiceError(
    'internal_error',
    'Something went wrong on our side. The request id in X-Request-Id helps to find it.',
    { cause: error },
  );
}
