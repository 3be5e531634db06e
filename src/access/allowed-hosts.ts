import type { Middleware } from 'koa';
import { ServiceError } from '../errors.ts';
import { isLoopbackHost } from './loopback-host.ts';

/** In place of a list of host names: every name. */
export const ANY_HOST = '*';

/** The name of a `Host` header: a name, an IPv4 address, or an IPv6 address in brackets, before an optional port. */
const HOST_HEADER = /^(\[[^\]\s]+\]|[^\s:/?#@[\]]+)(?::\d*)?$/;

/** Which host names a server answers for, apart from those of the loopback interface. */
export interface AllowedHostsOptions {
  /** The address or name that the server listens on. */
  host: string;
  /** Names without ports, or `ANY_HOST` alone. */
  allowed: readonly string[];
}

/**
 * Rejects requests for another host with `misdirected_host` (421). A page whose own name was pointed at this machine
 * (DNS rebinding) counts as same-origin in the browser, and its `Host` is the only sign of that. Requests without
 * `Host` pass: HTTP/1.0 allows them, and no browser sends one.
 */
export function allowedHosts({ host, allowed }: AllowedHostsOptions): Middleware {
  const names: ReadonlySet<string> = new Set([host, ...allowed].map(canonical));
  const allowsAny = allowed.includes(ANY_HOST);
  return (ctx, next) => {
    const given = ctx.req.headers.host;
    if (allowsAny || given === undefined) return next();
    const name = HOST_HEADER.exec(given)?.[1];
    if (name !== undefined && (isLoopbackHost(canonical(name)) || names.has(canonical(name)))) return next();
    throw new ServiceError(
      'misdirected_host',
      'The server does not answer for this host name. If the name is yours, add it to the setting ALLOWED_HOSTS.',
    );
  };
}

/** In lower case, without brackets and the dot of a fully qualified name. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/^\[|\]$|\.$/g, '');
}
