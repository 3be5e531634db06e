import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Logger } from '../log.ts';

/** What follows a request through every call, timer and callback that it caused. */
export interface RequestContext {
  readonly requestId: string;
}

const contexts = new AsyncLocalStorage<RequestContext>();

/** What may stand in a log line and a header as it came. */
const FIT_REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Gives each request an id, its own where it brought a fit one, and names it in `X-Request-Id`. */
export function requestContext(): Middleware {
  return async (ctx, next) => {
    const given = ctx.get('X-Request-Id');
    const requestId = FIT_REQUEST_ID.test(given) ? given : randomUUID();
    ctx.set('X-Request-Id', requestId);
    await contexts.run({ requestId }, next);
  };
}

/** The log with the present request's id, or as it is outside of one. */
export function requestLog(log: Logger): Logger {
  const context = contexts.getStore();
  return context === undefined ? log : log.child({ requestId: context.requestId });
}

/** Undefined outside of a request. */
export function currentRequestId(): string | undefined {
  return contexts.getStore()?.requestId;
}
