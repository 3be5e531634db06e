import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { forwardedHops, hopAddress } from './forwarded.ts';
import { peerAddress, type IsTrustedProxy } from './trusted-proxies.ts';

/** Returns the address of the client, as far as the proxies in between are trusted. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * Reads `X-Forwarded-For`, otherwise `Forwarded`, from the end while the hop that added each entry is trusted. Entries
 * further left may be forged. An IPv6 client counts as its /64 network, because one household has a whole /64.
 * @param onUnknownHop called for the first hop that is not an address. The client counts as the previous hop then.
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

/** Returns the /64 network of an IPv6 address. */
function networkOf(address: string): string {
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = address.includes('::') ? Array<string>(8 - left.length - right.length).fill('0') : [];
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(':')}::/64`;
}
