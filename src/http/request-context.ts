import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { Logger } from '../telemetry/log.ts';

/** What follows a request through every call, timer and callback that it caused. */
export interface RequestContext {
  readonly requestId: string;
  readonly request: IncomingMessage;
}

const contexts = new AsyncLocalStorage<RequestContext>();

/** What may stand in a log line and a header as it came. */
const FIT_REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Gives each request an id, its own where it brought a fit one; the answer names it in `X-Request-Id`. */
export function requestContext(): Middleware {
  return (ctx, next) => {
    const given = ctx.get('X-Request-Id');
    const requestId = FIT_REQUEST_ID.test(given) ? given : newRequestId();
    return contexts.run({ requestId, request: ctx.req }, next);
  };
}

/** One flat string: those of `randomUUID` are ropes of twenty pieces, ten times the size, until somebody reads them. */
function newRequestId(): string {
  return randomBytes(15).toString('base64url');
}

/** The log with the present request's id, or as it is outside of one. */
export function requestLog(log: Logger): Logger {
  const context = contexts.getStore();
  return context === undefined ? log : log.child({ requestId: context.requestId });
}

/** The present request itself, for what is asked of it far from where it came in. Undefined outside of one. */
export function currentRequest(): IncomingMessage | undefined {
  return contexts.getStore()?.request;
}

/** Undefined outside of a request. */
export function currentRequestId(): string | undefined {
  return contexts.getStore()?.requestId;
}
