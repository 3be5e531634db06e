import { BlockList, isIP } from 'node:net';

const HEXADECIMAL_IPV4_IN_IPV6 = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;
const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Builds a check from addresses and ranges such as `10.0.0.0/8`. It is false for text that is no address. */
export function addressList(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) add(list, range);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}

/** Returns an IPv4 address that is mapped into IPv6 (RFC 4291 section 2.5.5.2) in its IPv4 form. */
export function withoutMapping(address: string): string {
  const hexadecimal = HEXADECIMAL_IPV4_IN_IPV6.exec(address);
  if (hexadecimal === null) return IPV4_IN_IPV6.exec(address)?.[1] ?? address;
  const halves = hexadecimal.slice(1).map((half) => Number.parseInt(half, 16));
  return halves.flatMap((half) => [half >> 8, half & 255]).join('.');
}

function add(list: BlockList, range: string): void {
  const [address = '', bits] = range.split('/');
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}
