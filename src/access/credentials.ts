import { parse } from 'node:querystring';
import type { Context, Middleware } from 'koa';
import { ServiceError } from '../errors.ts';
import { containsApiKey, isApiKey } from './tenants.ts';

/** How a request proves who sends it. */
export type Credential = { type: 'none' } | { type: 'key'; apiKey: string } | { type: 'ticket'; ticket: string };

/** The query parameter for clients that cannot set headers. */
const TICKET_PARAMETER = 'ticket';

/** A token in `Authorization` (RFC 6750 section 2.1). The scheme is not case-sensitive. */
const BEARER = /^bearer +(\S+) *$/i;

/**
 * Returns the API key or ticket of a request. Throws `bad_request` (400) for more than one (RFC 6750 section 2).
 */
export function credentialOf(ctx: Context): Credential {
  const bearer = BEARER.exec(ctx.get('Authorization'))?.[1];
  const parameter = ctx.querystring.includes(TICKET_PARAMETER) ? parse(ctx.querystring)[TICKET_PARAMETER] : undefined;
  const given = [bearer ?? [], parameter ?? []].flat();
  if (given.length > 1)
    throw new ServiceError(
      'bad_request',
      'The request has several tickets or keys. Send one, in Authorization or in the query parameter "ticket".',
    );
  const [token] = given;
  if (token === undefined || token === '') return { type: 'none' };
  return isApiKey(token) ? { type: 'key', apiKey: token } : { type: 'ticket', ticket: token };
}

/** True if the request carries an API key or a ticket, valid or not. Throws `bad_request` (400) for more than one. */
export function hasCredential(ctx: Context): boolean {
  return credentialOf(ctx).type !== 'none';
}

/**
 * Returns the Bearer token of the request, if there is one. A page of another site can only set it if CORS allows the
 * site.
 */
export function bearerOf(headers: { authorization?: string | undefined }): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1];
}

/** Rejects requests with an API key in the address (400): addresses are written to the logs of proxies and browsers. */
export function noKeysInAddresses(): Middleware {
  return (ctx, next) => {
    if (!containsApiKey(ctx.querystring)) return next();
    throw new ServiceError(
      'bad_request',
      'The address contains an API key, and addresses are written to logs. Replace the key, and send the new one ' +
        'in the header Authorization: Bearer.',
    );
  };
}
