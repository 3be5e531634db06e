import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';

/** Tells whom a request comes from, as far as the proxies in between may be believed. */
export type ClientAddress = (request: IncomingMessage) => string;

const HEXADECIMAL_IPV4_IN_IPV6 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;
const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * Reads `X-Forwarded-For` from its end backwards while the hop that added each entry is trusted; what
 * stands further left may be anybody's invention. IPv6 clients are told apart by their /64, since one
 * household has all of it.
 * @param trustedProxies addresses or ranges such as `10.0.0.0/8`.
 */
export function clientAddresses(trustedProxies: readonly string[]): ClientAddress {
  const trusted = new BlockList();
  for (const range of trustedProxies) trust(trusted, range);
  const isTrusted = (address: string) => {
    const version = isIP(address);
    return version !== 0 && trusted.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
  return (request) => {
    let address = plain(request.socket.remoteAddress ?? '');
    const forwarded = [request.headers['x-forwarded-for'] ?? []]
      .flat()
      .join(',')
      .split(',')
      .map((hop) => plain(hop.trim()));
    while (isTrusted(address)) {
      const previous = forwarded.pop();
      if (previous === undefined || isIP(previous) === 0) break;
      address = previous;
    }
    return isIP(address) === 6 ? networkOf(address) : address;
  };
}

function trust(list: BlockList, range: string): void {
  const [address = '', bits] = range.split('/');
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}

function plain(address: string): string {
  const hexadecimal = HEXADECIMAL_IPV4_IN_IPV6.exec(address);
  if (hexadecimal === null) return IPV4_IN_IPV6.exec(address)?.[1] ?? address;
  const halves = hexadecimal.slice(1).map((half) => Number.parseInt(half, 16));
  return halves.flatMap((half) => [half >> 8, half & 255]).join('.');
}

/** The first four groups of an IPv6 address. */
function networkOf(address: string): string {
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? Array<string>(8 - left.length - right.length).fill('0') : [];
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(':')}::/64`;
}
