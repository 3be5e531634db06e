import { isIPv4 } from 'node:net';
import type { Middleware } from 'koa';
import { ServiceError } from '../errors.ts';
import { hostOf } from '../http/request-target.ts';

/** The entry that allows every host name. It must be the only entry of the list. */
export const ANY_HOST = '*';

/** A `Host` header: a name, an IPv4 address, or an IPv6 address in brackets, then an optional port. */
const HOST_HEADER = /^(\[[^\]\s]+\]|[^\s:/?#@[\]]+)(?::\d*)?$/;

/** The host names that a server answers for, besides those of the loopback interface. */
export interface AllowedHostsOptions {
  /** The address or name that the server listens on. */
  host: string;
  /** Names without ports, or only `ANY_HOST`. */
  allowed: readonly string[];
}

/**
 * Rejects requests for another host with `misdirected_host` (421). In a DNS rebinding attack a foreign page points its
 * own name to this machine. The browser treats its requests as same-origin, and only the `Host` header shows the
 * attack. Requests without `Host` are allowed: HTTP/1.0 permits them, and no browser sends one.
 */
export function allowedHosts({ host, allowed }: AllowedHostsOptions): Middleware {
  const names: ReadonlySet<string> = new Set([host, ...allowed].map(canonical));
  const allowsAny = allowed.includes(ANY_HOST);
  return (ctx, next) => {
    const given = hostOf(ctx.req);
    if (allowsAny || given === undefined) return next();
    const name = HOST_HEADER.exec(given)?.[1];
    if (name !== undefined && (isLoopbackHost(canonical(name)) || names.has(canonical(name)))) return next();
    throw new ServiceError(
      'misdirected_host',
      'The server does not answer for this host name. If the name is yours, add it to the setting ALLOWED_HOSTS.',
    );
  };
}

/** True for an address or name that reaches this machine only: `localhost` and names below it, 127.0.0.0/8, `::1`. */
export function isLoopbackHost(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.');
  return host === '::1' || /(^|\.)localhost$/i.test(host);
}

/** Returns the name in lower case, without brackets and without the final dot of a fully qualified name. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/^\[|\]$|\.$/g, '');
}
