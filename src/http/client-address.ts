import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { forwardedHops, hopAddress } from './forwarded.ts';
import { peerAddress, type IsTrustedProxy } from './trusted-proxies.ts';

/** Tells whom a request comes from, as far as the proxies in between may be believed. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * Reads `X-Forwarded-For`, or else `Forwarded`, from its end backwards while the hop that added each entry is trusted;
 * anybody may have invented the entries further left. Each client address of IPv6 counts as its /64, since one
 * household has all of it.
 * @param onUnknownHop called for the first hop that is no address; the client counts as the hop before it then.
 */
export function clientAddresses(
  isTrusted: IsTrustedProxy,
  onUnknownHop: (hop: string) => void = () => undefined,
): ClientAddress {
  let hasWarned = false;
  return (request) => {
    let address = peerAddress(request);
    const hops = isTrusted(address) ? forwardedHops(request) : [];
    while (isTrusted(address)) {
      const hop = hops.pop();
      if (hop === undefined) break;
      const previous = hopAddress(hop);
      if (previous === undefined) {
        if (!hasWarned) onUnknownHop(hop);
        hasWarned = true;
        break;
      }
      address = previous;
    }
    return isIP(address) === 6 ? networkOf(address) : address;
  };
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
