import type { Logger } from '../telemetry/log.ts';
import { heldPart } from './held-interceptors.ts';
import type { RequestEnd } from './request-end.ts';
import { requestIdOf } from './request-scope.ts';
import { requestPath } from './request-target.ts';
import { uploadRefIn, withoutIds } from '../telemetry/upload-ref.ts';

/** Long enough for every address of the service. */
const MAX_PATH_LENGTH = 200;

/** Asked every few seconds by machines; at `info` they would drown the rest. */
const QUIET_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** One line a request, when its last byte is out or its client is gone. The query, which may be anything, stays out, and so do ids. */
export function accessLog(log: Logger): RequestEnd {
  return (ctx, startedAtMs) => {
    const path = requestPath(ctx);
    const line = {
      requestId: requestIdOf(ctx),
      method: ctx.method,
      path: withoutIds(path).slice(0, MAX_PATH_LENGTH),
      ...uploadIn(path),
      status: ctx.res.statusCode,
      durationMs: Math.round(performance.now() - startedAtMs),
      ...heldPart(ctx),
      ...(ctx.res.writableFinished ? {} : { clientGone: true }),
    };
    if (QUIET_PATHS.has(path)) log.debug(line, 'request');
    else log.info(line, 'request');
  };
}

function uploadIn(path: string): { upload?: string } {
  const upload = uploadRefIn(path);
  return upload === undefined ? {} : { upload };
}
