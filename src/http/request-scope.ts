import { randomFillSync } from 'node:crypto';
import type { Context, Middleware } from 'koa';
import { openCaller, type Caller } from '../access/caller.ts';
import type { Logger } from '../telemetry/log.ts';
import { NO_SPAN, type Span } from '../telemetry/tracing.ts';
import type { ClientAddress } from './client-address.ts';

/** The facts about a request that the code behind a route needs. It is passed as an argument, next to the request. */
export interface RequestScope {
  readonly id: string;
  /** The address that the request's uploads count for. */
  readonly address: string;
  /** The owner of the request's uploads. */
  readonly caller: Caller;
  /** Adds the request's id to every line. */
  readonly log: Logger;
  /** `NO_SPAN` while tracing is off. */
  readonly span: Span;
}

/** The parts that a scope is opened from. */
export interface ScopeParts {
  addressOf: ClientAddress;
  log: Logger;
}

const REQUEST_ID = Symbol('http.request-id');
const spans = new WeakMap<Context, Span>();

/** An id of this form is safe in a log line and in a header. */
const SAFE_REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Gives each request an id: that of its `X-Request-Id` header if it is safe, otherwise a new one. */
export function requestIds(): Middleware {
  return (ctx, next) => {
    const given = ctx.get('X-Request-Id');
    ctx[REQUEST_ID] = SAFE_REQUEST_ID.test(given) ? given : newRequestId();
    return next();
  };
}

/** Undefined if `requestIds` did not run for this request. */
export function requestIdOf(ctx: Context): string | undefined {
  const id: unknown = ctx[REQUEST_ID];
  return typeof id === 'string' ? id : undefined;
}

/** Keeps the span of a request for `spanOf`. */
export function keepSpan(ctx: Context, span: Span): void {
  spans.set(ctx, span);
}

/** Returns the span of a request, `NO_SPAN` if it has none. */
export function spanOf(ctx: Context): Span {
  return spans.get(ctx) ?? NO_SPAN;
}

/**
 * Opens the scope with the caller of the open mode. A route that creates uploads replaces it, see `withCaller`. Call it
 * when the route begins: the address of a connection can no longer be read once the client is gone.
 */
export function openScope(ctx: Context, { addressOf, log }: ScopeParts): RequestScope {
  const id = requestIdOf(ctx) ?? newRequestId();
  return { id, address: addressOf(ctx.req), caller: openCaller, log: log.child({ requestId: id }), span: spanOf(ctx) };
}

/** Returns the scope of a request whose caller is known. Its log lines name the tenant and the key. */
export function withCaller(scope: RequestScope, caller: Caller): RequestScope {
  const { via, tenant, keyId } = caller;
  return via === 'open' ? { ...scope, caller } : { ...scope, caller, log: scope.log.child({ tenant, keyId }) };
}

const ID_BYTES = 15;

/** Random bytes of the next ids. One call for many ids takes a tenth of the time. */
const pool = Buffer.alloc(ID_BYTES * 128);
let usedBytes = pool.length;

/** Returns a flat string. V8 keeps a `randomUUID` as twenty linked pieces, which take ten times the memory. */
function newRequestId(): string {
  if (usedBytes === pool.length) {
    randomFillSync(pool);
    usedBytes = 0;
  }
  usedBytes += ID_BYTES;
  return pool.toString('base64url', usedBytes - ID_BYTES, usedBytes);
}
