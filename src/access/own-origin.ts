import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { ServiceError } from '../errors.ts';
import { forwardedHosts } from '../http/forwarded.ts';
import { peerAddress, type IsTrustedProxy } from '../http/trusted-proxies.ts';

/** In place of a list of origins: pages of any origin. */
export const ANY_ORIGIN = '*';

/** Methods that change nothing (RFC 9110 section 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whose pages may change something. */
export interface OwnOriginOptions {
  /** Other origins as browsers write them, or `ANY_ORIGIN` alone. */
  origins: readonly string[];
  /** Their `X-Forwarded-Host` names the request's own host too. */
  isTrustedProxy: IsTrustedProxy;
}

/**
 * Rejects requests that change something and were made by a page of another site with `foreign_origin` (403): browsers
 * send forms and simple requests to any address without asking. Clients that are no browsers send none of the headers
 * and pass.
 */
export function ownOriginOnly(options: OwnOriginOptions): Middleware {
  return (ctx, next) => {
    if (!isForeignChange(ctx.req, options)) return next();
    throw new ServiceError(
      'foreign_origin',
      'A page of another site may not change anything here. If the page is yours, add its origin to the setting CORS_ORIGINS. ' +
        'If a proxy changes Host, have it send X-Forwarded-Host and name it in TRUSTED_PROXIES.',
    );
  };
}

/** True for a request that changes something and comes from a page of an origin that is neither its own nor listed. */
export function isForeignChange(request: IncomingMessage, { origins, isTrustedProxy }: OwnOriginOptions): boolean {
  if (SAFE_METHODS.has(request.method ?? '') || origins.includes(ANY_ORIGIN)) return false;
  const site = request.headers['sec-fetch-site'];
  // Pages cannot set this header. It also holds for `Origin: null`, which a form of a page without referrer sends.
  if (site === 'same-origin') return false;
  const { origin } = request.headers;
  if (origin === undefined) return site === 'cross-site';
  return !origins.includes(origin) && !ownHosts(request, isTrustedProxy).some((host) => isOriginOf(origin, host));
}

function ownHosts(request: IncomingMessage, isTrustedProxy: IsTrustedProxy): string[] {
  const forwarded = isTrustedProxy(peerAddress(request)) ? forwardedHosts(request) : [];
  return [request.headers.host ?? [], forwarded].flat();
}

/** Compares name and port; the port that the origin's scheme implies may be written or left out. */
function isOriginOf(origin: string, host: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  const own = `${protocol}//${host}`;
  return originHost !== '' && URL.canParse(own) && new URL(own).host === originHost;
}
