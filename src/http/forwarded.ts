import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { withoutMapping } from './address-list.ts';

/** `address:port` of IPv4, or an IPv6 address in brackets with or without a port. */
const WITH_PORT = /^(?:(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}|\[([0-9a-fA-F:.]{2,45})\](?::\d{1,5})?)$/;

/**
 * Returns the hops that proxies have added, the nearest last: from `X-Forwarded-For`, or from `Forwarded` (RFC 7239) if
 * only that is present. A proxy that writes `X-Forwarded-For` forwards a client's own `Forwarded` unchanged.
 */
export function forwardedHops(request: IncomingMessage): string[] {
  const header = headerOf(request, 'x-forwarded-for');
  if (header !== '') return header.split(',').flatMap((hop) => hop.trim() || []);
  return forwardedElements(request).map((element) => element.get('for') ?? 'unknown');
}

/**
 * Returns the host names that clients requested from the proxies: `X-Forwarded-Host`, otherwise `host` of `Forwarded`.
 */
export function forwardedHosts(request: IncomingMessage): string[] {
  const header = headerOf(request, 'x-forwarded-host');
  if (header !== '') return header.split(',').flatMap((host) => host.trim() || []);
  return forwardedElements(request).flatMap((element) => element.get('host') ?? []);
}

/**
 * Returns the address of a hop without the port, brackets and quotes that some proxies add. Undefined for `unknown`,
 * for the obfuscated names of RFC 7239 section 6.3, and for anything else that is not an address.
 */
export function hopAddress(hop: string): string | undefined {
  const bare = hop.replace(/^"|"$/g, '');
  const [, ipv4, ipv6] = WITH_PORT.exec(bare) ?? [];
  const address = withoutMapping(ipv4 ?? ipv6 ?? bare);
  return isIP(address) === 0 ? undefined : address;
}

function headerOf(request: IncomingMessage, name: string): string {
  return [request.headers[name] ?? []].flat().join(',').trim();
}

function forwardedElements(request: IncomingMessage): Map<string, string>[] {
  const header = headerOf(request, 'forwarded');
  if (header === '') return [];
  return splitUnquoted(header, ',').map(pairsOf);
}

function pairsOf(element: string): Map<string, string> {
  const pairs = splitUnquoted(element, ';').map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return [
      pair.slice(0, Math.max(0, at)).trim().toLowerCase(),
      pair
        .slice(at + 1)
        .trim()
        .replace(/^"|"$/g, ''),
    ];
  });
  return new Map(pairs);
}

function splitUnquoted(text: string, separator: string): string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '"') isQuoted = !isQuoted;
    if (isQuoted || text[index] !== separator) continue;
    parts.push(text.slice(start, index));
    start = index + 1;
  }
  return [...parts, text.slice(start)];
}
