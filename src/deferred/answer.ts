import { Readable } from 'node:stream';
import { isNativeError } from 'node:util/types';
import type { Context } from 'koa';
import { DirectEntity } from './direct-entity.ts';
import { AS_IT_STANDS, Dispatch } from './dispatch.ts';
import type { Outcome } from './outcome.ts';
import { ResponseEntity } from './response-entity.ts';

/**
 * Writes an outcome to the response in `ctx`. Throws if the outcome is an `Error`. Returns a `Dispatch` if another
 * handler must answer; otherwise undefined.
 */
export function answer(ctx: Context, outcome: Outcome): Dispatch | undefined {
  if (outcome.kind === 'error') {
    answerError(ctx, outcome.error);
    return undefined;
  }
  if (outcome.value instanceof Dispatch) return outcome.value;
  if (outcome.value instanceof DirectEntity && ctx.req.complete) writeDirectly(ctx, outcome.value);
  else if (outcome.value === AS_IT_STANDS) endIfBegun(ctx);
  else setAnswer(ctx, outcome.value);
  return undefined;
}

/** Keeps Koa from writing to a client that has gone. The status 499 is for the access log. */
export function leaveUnanswered(ctx: Context): void {
  ctx.respond = false;
  ctx.status = 499;
}

function writeDirectly(ctx: Context, entity: DirectEntity): void {
  entity.send(ctx);
  ctx.respond = false;
}

function answerError(ctx: Context, error: unknown): void {
  if (error instanceof Error || isNativeError(error)) throw error;
  setAnswer(ctx, error);
  if (!(error instanceof ResponseEntity) && ctx.status < 400) ctx.status = 500;
}

function setAnswer(ctx: Context, value: unknown): void {
  if (!(value instanceof ResponseEntity)) {
    refuseDeadStream(value);
    ctx.body = value;
    return;
  }
  refuseDeadStream(value.body);
  // Koa derives status and type from the body, so the requested ones are set after it.
  ctx.body = value.body;
  ctx.status = value.status;
  ctx.set(value.headers);
}

/** Throws if a stream has already failed, so that the client gets an error response. Koa would cut the connection. */
function refuseDeadStream(body: unknown): void {
  if (!(body instanceof Readable) || !body.destroyed) return;
  throw body.errored ?? new Error('The stream was closed before it could be sent');
}

function endIfBegun(ctx: Context): void {
  if (!ctx.res.headersSent) return;
  ctx.respond = false;
  if (!ctx.res.writableEnded) ctx.res.end();
}
