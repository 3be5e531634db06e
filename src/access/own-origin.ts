import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { ServiceError } from '../errors.ts';
import { forwardedHosts } from '../http/forwarded.ts';
import { hostOf, isSafe } from '../http/request-target.ts';
import { peerAddress, type IsTrustedProxy } from '../http/trusted-proxies.ts';

/** The entry that allows pages of every origin. It must be the only entry of the list. */
export const ANY_ORIGIN = '*';

/** The origins whose pages may send requests that change something. */
interface OwnOriginOptions {
  /** Other origins as browsers send them, or only `ANY_ORIGIN`. */
  origins: readonly string[];
  /** `X-Forwarded-Host` of these proxies also counts as the own host. */
  isTrustedProxy: IsTrustedProxy;
  /**
   * Returns true for a request that proves by itself that no page of another site can have sent it. Only called for
   * requests that would be rejected. Default: none proves it.
   */
  isExempt?: (request: IncomingMessage) => Promise<boolean>;
}

/**
 * Rejects with `foreign_origin` (403) a request that changes something and comes from a page of another site. Browsers
 * send forms and simple requests to any address without a preflight. Other clients send neither `Origin` nor
 * `Sec-Fetch-Site`, so their requests are allowed.
 */
export function ownOriginOnly(options: OwnOriginOptions): Middleware {
  const { isExempt = async () => false } = options;
  return (ctx, next) => {
    if (!isForeignChange(ctx.req, options)) return next();
    return isExempt(ctx.req).then((isProven) => {
      if (!isProven) throw foreignOrigin();
      return next();
    });
  };
}

function foreignOrigin(): ServiceError {
  return new ServiceError(
    'foreign_origin',
    'This request comes from a page of another site. If the page is yours, add its origin to CORS_ORIGINS. ' +
      'If a proxy changes Host, let it send X-Forwarded-Host and add its address to TRUSTED_PROXIES.',
  );
}

/** True for a request that changes something and comes from a page of an origin that is neither own nor listed. */
export function isForeignChange(request: IncomingMessage, { origins, isTrustedProxy }: OwnOriginOptions): boolean {
  if (isSafe(request.method) || origins.includes(ANY_ORIGIN)) return false;
  const site = request.headers['sec-fetch-site'];
  // Pages cannot forge `Sec-Fetch-Site`. A form on a page without a referrer sends it with `Origin: null`.
  if (site === 'same-origin') return false;
  const { origin } = request.headers;
  if (origin === undefined) return site === 'cross-site';
  return !origins.includes(origin) && !ownHosts(request, isTrustedProxy).some((host) => isOriginOf(origin, host));
}

function ownHosts(request: IncomingMessage, isTrustedProxy: IsTrustedProxy): string[] {
  const forwarded = isTrustedProxy(peerAddress(request)) ? forwardedHosts(request) : [];
  return [hostOf(request) ?? [], forwarded].flat();
}

/** Compares name and port. The default port of the scheme may be missing. */
function isOriginOf(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  const own = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost;
}
