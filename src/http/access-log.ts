import type { Logger } from '../telemetry/log.ts';
import { heldPart } from './held-interceptors.ts';
import type { RequestEnd } from './request-end.ts';
import { requestIdOf } from './request-scope.ts';
import { requestPath } from './request-target.ts';
import { uploadRefIn } from '../telemetry/upload-ref.ts';
import { withoutSecrets } from '../telemetry/without-secrets.ts';

/** Longer paths are cut. Every address of the service is shorter. */
const MAX_PATH_LENGTH = 200;

/** Monitoring requests these paths every few seconds, so they are logged at `debug`. */
const QUIET_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** True for the addresses that monitoring requests. */
export function isQuietPath(path: string): boolean {
  return QUIET_PATHS.has(path);
}

/** Logs one line for each ended request, without its query, upload ids and other secrets. */
export function accessLog(log: Logger): RequestEnd {
  return (ctx, startedAtMs) => {
    const path = requestPath(ctx);
    const line = {
      requestId: requestIdOf(ctx),
      method: ctx.method,
      path: withoutSecrets(path).slice(0, MAX_PATH_LENGTH),
      ...uploadIn(path),
      status: ctx.res.statusCode,
      durationMs: Math.round(performance.now() - startedAtMs),
      ...heldPart(ctx),
      ...(ctx.res.writableFinished ? {} : { clientGone: true }),
    };
    if (isQuietPath(path)) log.debug(line, 'request');
    else log.info(line, 'request');
  };
}

function uploadIn(path: string): { upload?: string } {
  const upload = uploadRefIn(path);
  return upload === undefined ? {} : { upload };
}
