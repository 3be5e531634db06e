import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { isForeignChange } from '../access/own-origin.ts';
import { ServiceError } from '../errors.ts';
import { requestPath } from '../http/request-target.ts';
import type { IsTrustedProxy } from '../http/trusted-proxies.ts';
import type { Logger } from '../telemetry/log.ts';

/** Where all that is for operators lies. */
export const OPERATORS_PATH = '/operators';

/** Wrong tokens from one address that are answered with 401 within the period; more get 429. The right one always passes. */
const MAX_REFUSALS = 10;
const REFUSALS_PERIOD_SECONDS = 60;

/** What makes a browser ask its user (RFC 7617). */
const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="operators", charset="UTF-8"' };

/** Who may come in, and who hears of those that may not. */
export interface OperatorGuardOptions {
  token: string;
  addressOf: (request: IncomingMessage) => string;
  isTrustedProxy: IsTrustedProxy;
  log: Logger;
}

/** True for the operators' page and all below it, written just so. */
export function isForOperators(ctx: Context): boolean {
  const path = requestPath(ctx);
  return path === OPERATORS_PATH || path.startsWith(`${OPERATORS_PATH}/`);
}

/**
 * Lets nobody to what is for operators without the token: as the password of Basic authentication under any user
 * name, which browsers ask for, or as a Bearer token (RFC 6750). Since browsers send the first by themselves, what
 * changes something must come from a page of this origin. All else passes by. Throws `unauthorized` (401),
 * `too_many_refusals` (429) and `foreign_origin` (403).
 */
export function operatorGuard({ token, addressOf, isTrustedProxy, log }: OperatorGuardOptions): Middleware {
  const expected = digest(token);
  const refusals = new RateLimiterMemory({ points: MAX_REFUSALS, duration: REFUSALS_PERIOD_SECONDS });
  const admit = async (ctx: Context): Promise<void> => {
    ctx.set('Cache-Control', 'no-store');
    const address = addressOf(ctx.req);
    const given = givenToken(ctx.get('Authorization'));
    if (given === undefined)
      throw new ServiceError('unauthorized', 'This is for operators, who have a token.', { headers: CHALLENGE });
    // Digests have one length, so that comparing takes the same time whatever was given.
    if (timingSafeEqual(digest(given), expected)) return requireOwnOrigin(ctx, isTrustedProxy);
    const spent = await refusals.get(address);
    if (spent !== null && spent.consumedPoints >= MAX_REFUSALS) throw tooManyRefusals(spent.msBeforeNext);
    await refusals.penalty(address);
    log.warn({ address }, 'wrong token of an operator');
    throw new ServiceError('unauthorized', 'This is not the token of the operators.', { headers: CHALLENGE });
  };
  return (ctx, next) => (isForOperators(ctx) ? admit(ctx).then(next) : next());
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Undefined where there is none that could be one. */
function givenToken(authorization: string): string | undefined {
  const [, scheme = '', credentials = ''] = /^(basic|bearer) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== 'basic') return credentials === '' ? undefined : credentials;
  // The user name holds no colon, the password may (RFC 7617 section 2).
  return /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString())?.[1];
}

/** `CORS_ORIGINS` does not count here. */
function requireOwnOrigin(ctx: Context, isTrustedProxy: IsTrustedProxy): void {
  if (isForeignChange(ctx.req, { origins: [], isTrustedProxy }))
    throw new ServiceError('foreign_origin', "This may be asked for by the operators' own page alone.");
}

function tooManyRefusals(retryAfterMs: number): ServiceError {
  return new ServiceError('too_many_refusals', 'Too many wrong tokens came from this address. Wait a minute.', {
    retryAfterMs,
  });
}
