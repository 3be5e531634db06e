import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { withoutMapping } from './trusted-proxies.ts';

/** `address:port` of IPv4, or an IPv6 address in brackets with or without a port. */
const WITH_PORT = /^(?:(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}|\[([0-9a-fA-F:.]{2,45})\](?::\d{1,5})?)$/;

/**
 * The hops that proxies have written, the nearest last: of `X-Forwarded-For`, or of `Forwarded` (RFC 7239) if that is
 * the only one. `X-Forwarded-For` wins because a proxy that writes it passes a client's own `Forwarded` on unchanged.
 */
export function forwardedHops(request: IncomingMessage): string[] {
  const header = headerOf(request, 'x-forwarded-for');
  if (header !== '') return header.split(',').flatMap((hop) => hop.trim() || []);
  return forwardedElements(request).map((element) => element.get('for') ?? 'unknown');
}

/** The host names by which proxies say that they were asked: `X-Forwarded-Host`, or `host` of `Forwarded`. */
export function forwardedHosts(request: IncomingMessage): string[] {
  const header = headerOf(request, 'x-forwarded-host');
  if (header !== '') return header.split(',').flatMap((host) => host.trim() || []);
  return forwardedElements(request).flatMap((element) => element.get('host') ?? []);
}

/**
 * The address of a hop without its port, brackets and quotes, as some proxies write it. Undefined for `unknown`, for
 * the obfuscated names of RFC 7239 section 6.3, and for anything else that is not an address.
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
