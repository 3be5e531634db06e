import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { isForeignChange } from '../access/own-origin.ts';
import { ServiceError } from '../errors.ts';
import { requestPath } from '../http/request-target.ts';
import type { IsTrustedProxy } from '../http/trusted-proxies.ts';
import type { Logger } from '../telemetry/log.ts';

const OPERATORS_PATH = '/operators';

/** This many wrong tokens from one address within 60 s get 401, further ones 429. The right token always passes. */
const MAX_WRONG_TOKENS = 10;
const WRONG_TOKENS_PERIOD_SECONDS = 60;

/** Makes browsers ask for a name and password (RFC 7617). */
const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="operators", charset="UTF-8"' };

/** The token and the parts that the guard works with. */
interface OperatorGuardOptions {
  token: string;
  addressOf: (request: IncomingMessage) => string;
  isTrustedProxy: IsTrustedProxy;
  log: Logger;
}

/** True for the operators' page and every path below it. Case matters. */
function isForOperators(ctx: Context): boolean {
  const path = requestPath(ctx);
  return path === OPERATORS_PATH || path.startsWith(`${OPERATORS_PATH}/`);
}

/**
 * Protects every path for operators with the token, given as a Bearer token (RFC 6750) or as the password of Basic
 * authentication under any user name. Browsers send the password automatically, so a request that changes something
 * must come from a page of this origin. Other paths are not affected. Throws `unauthorized` (401), `too_many_refusals`
 * (429) and `foreign_origin` (403).
 */
export function operatorGuard({ token, addressOf, isTrustedProxy, log }: OperatorGuardOptions): Middleware {
  const expected = digest(token);
  const wrongTokens = new RateLimiterMemory({ points: MAX_WRONG_TOKENS, duration: WRONG_TOKENS_PERIOD_SECONDS });
  const admit = async (ctx: Context): Promise<void> => {
    ctx.set('Cache-Control', 'no-store');
    const address = addressOf(ctx.req);
    const given = givenToken(ctx.get('Authorization'));
    if (given === undefined)
      throw new ServiceError(
        'unauthorized',
        'This path is for operators. Send the OPERATORS_TOKEN as the password or as a Bearer token.',
        { headers: CHALLENGE },
      );
    // Digests have the same length, so the comparison takes the same time for every token.
    if (timingSafeEqual(digest(given), expected)) return requireOwnOrigin(ctx, isTrustedProxy);
    const spent = await wrongTokens.get(address);
    if (spent !== null && spent.consumedPoints >= MAX_WRONG_TOKENS) throw tooManyRefusals(spent.msBeforeNext);
    await wrongTokens.penalty(address);
    log.warn({ address }, 'wrong operator token');
    throw new ServiceError('unauthorized', 'The token is wrong. Send the value of OPERATORS_TOKEN.', {
      headers: CHALLENGE,
    });
  };
  return (ctx, next) => (isForOperators(ctx) ? admit(ctx).then(next) : next());
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Undefined if the header contains no token. */
function givenToken(authorization: string): string | undefined {
  const [, scheme = '', credentials = ''] = /^(basic|bearer) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== 'basic') return credentials === '' ? undefined : credentials;
  // A password may contain a colon, a user name may not (RFC 7617 section 2).
  return /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString())?.[1];
}

/** Throws unless the request comes from this server's own origin. `CORS_ORIGINS` does not count here. */
function requireOwnOrigin(ctx: Context, isTrustedProxy: IsTrustedProxy): void {
  if (isForeignChange(ctx.req, { origins: [], isTrustedProxy }))
    throw new ServiceError('foreign_origin', "Only the operators' page of this server may send this request.");
}

function tooManyRefusals(retryAfterMs: number): ServiceError {
  return new ServiceError(
    'too_many_refusals',
    'Too many wrong tokens came from this address. Try again after one minute.',
    { retryAfterMs },
  );
}
