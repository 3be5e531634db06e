import type { Context, Middleware } from 'koa';
import { answer, leaveUnanswered } from './answer.ts';
import { startedContext, supportAsync } from './async-context.ts';
import { DeferredError } from './deferred-error.ts';
import type { DeferredManager } from './deferred-manager.ts';
import { DeferredResult } from './deferred-result.ts';
import { discard } from './discard.ts';
import { runDispatch, type Dispatch } from './dispatch.ts';
import type { Answerer, HeldResponse, Settler } from './held-response.ts';
import type { Outcome } from './outcome.ts';

/**
 * Holds the response of every handler below that returns a `DeferredResult`, sets one as `ctx.body`, or starts an
 * `AsyncContext`. For middleware above, `next()` resolves when the response is decided, with status, headers and body
 * set, or rejects with its error. If the client has gone, nothing is written or thrown: `ctx.respond` is false and
 * `ctx.status` is 499.
 *
 * Add it directly above the router. A middleware between it and the handler must return the result of its own `next()`,
 * or the handler must set the body.
 */
export function deferredMiddleware(manager: DeferredManager): Middleware {
  const answerer: Answerer = (held, outcome) => {
    const dispatch = answerHeld(held, outcome);
    if (!dispatch) return undefined;
    const { ctx } = held;
    return new Promise((resolve, reject) => {
      const handler = runDispatch(ctx, dispatch, deferred).catch((error: unknown) => {
        held.dispatchFailed(error);
        throw error;
      });
      follow(manager, answerer, ctx, handler, { resolve, reject });
    });
  };
  // This is no async function: its frame would keep `next`, and with it all middleware below, in memory while the
  // response is held.
  const deferred: Middleware = (ctx, next) => {
    supportAsync(ctx);
    return new Promise((resolve, reject) => {
      follow(manager, answerer, ctx, next(), { resolve, reject });
    });
  };
  return deferred;
}

/** Waits for the handler. Then it settles with the return value, or holds the response, which settles later. */
function follow(
  manager: DeferredManager,
  answerer: Answerer,
  ctx: Context,
  handler: Promise<unknown>,
  settler: Settler,
): void {
  handler
    .then((returned) => {
      const result = deferredOf(manager, ctx, returned);
      if (result) manager.admit(ctx, result).hold(answerer, settler);
      else settler.resolve(returned);
    })
    .catch((error: unknown) => {
      // If a handler throws, the context that it has started is not needed.
      const started = startedContext(ctx);
      if (started) manager.abandon(started.result);
      settler.reject(error);
    });
}

function answerHeld(held: HeldResponse, outcome: Outcome): Dispatch | undefined {
  const { ctx } = held;
  if (held.isUnusable && (outcome.kind === 'value' || held.ending === 'disconnect')) {
    if (outcome.kind === 'value') discard(outcome.value);
    leaveUnanswered(ctx);
    return undefined;
  }
  const dispatch = answer(ctx, outcome);
  if (dispatch) held.dispatched();
  return dispatch;
}

function deferredOf(manager: DeferredManager, ctx: Context, returned: unknown): DeferredResult | undefined {
  const result = returned instanceof DeferredResult ? returned : deferredBody(ctx);
  const started = startedContext(ctx);
  if (!started || !result) return result ?? started?.result;
  manager.abandon(result);
  manager.abandon(started.result);
  throw new DeferredError('invalid_state', 'The handler started an asynchronous context and deferred a result too');
}

/** Returns the deferred result that was set as the body, and undoes the changes that Koa made for it. */
function deferredBody(ctx: Context): DeferredResult | undefined {
  const { body } = ctx;
  if (!(body instanceof DeferredResult)) return undefined;
  // Koa took it for a JSON object. The real value may have any type.
  if (ctx.response.get('Content-Type') === 'application/json; charset=utf-8') ctx.remove('Content-Type');
  return body;
}
