import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { addressList, withoutMapping } from './address-list.ts';

/** An address of a host, as `node:net` expects it from a lookup. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** Returns all addresses of a host name. Rejects if there are none. */
type ResolveHost = (host: string) => Promise<readonly HostAddress[]>;

/** IPv4 addresses that are not public by the registry of special-purpose addresses (RFC 6890). */
const NOT_PUBLIC_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Azure's virtual machines reach their host at this address.
  '168.63.129.16',
];

/** Only this range has public IPv6 addresses (RFC 4291 section 2.4). */
const GLOBAL_IPV6 = ['2000::/3'];

/** Parts of it that are not public, or that contain an IPv4 address: Teredo, documentation, 6to4. */
const NOT_PUBLIC_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/**
 * Maximum number of lookups at the same time. A name server that does not answer holds a thread of libuv for each, and
 * its 4 threads also read files and decode pictures.
 */
const MOST_LOOKUPS = 2;

const isSpecial = addressList([...NOT_PUBLIC_IPV4, ...NOT_PUBLIC_IPV6]);
const isGlobalIPv6 = addressList(GLOBAL_IPV6);

/** A host has no address that requests may be sent to. */
export class AddressRefusedError extends Error {
  constructor(host: string) {
    super(`${host} has no public address`);
    this.name = 'AddressRefusedError';
  }
}

/** True for an address on the public internet. Loopback, private, link-local and multicast addresses are not. */
export function isPublicAddress(address: string): boolean {
  const plain = withoutMapping(address);
  if (isIP(plain) === 0 || plain.includes('%') || isSpecial(plain)) return false;
  return isIP(plain) === 4 || isGlobalIPv6(plain);
}

/**
 * Resolves hosts that somebody else chose, so that this machine sends no request into its own network. Connect only to
 * the returned addresses: a second lookup may have another answer.
 */
export class PublicAddresses {
  readonly #isAllowed: (address: string) => boolean;
  readonly #resolve: ResolveHost;
  readonly #running = new Map<string, Promise<readonly HostAddress[]>>();
  readonly #waiting: (() => void)[] = [];
  #lookups = 0;

  /** @param allowed addresses and ranges that are allowed although they are not public. */
  constructor(allowed: readonly string[], resolve: ResolveHost = resolveAll) {
    this.#isAllowed = addressList(allowed);
    this.#resolve = resolve;
  }

  /**
   * Returns the allowed addresses of the host of a URL. Throws `AddressRefusedError` if it has none, and the error of
   * the lookup if the name is not known.
   */
  async of({ hostname }: URL): Promise<readonly HostAddress[]> {
    const host = hostname.replace(/^\[|\]$/g, '');
    const family = isIP(host);
    const found = family === 0 ? await this.#lookUp(host) : [{ address: host, family }];
    const allowed = found.filter(({ address }) => this.#mayReach(address));
    if (allowed.length === 0) throw new AddressRefusedError(host);
    return allowed;
  }

  #mayReach(address: string): boolean {
    return isPublicAddress(address) || this.#isAllowed(withoutMapping(address));
  }

  /** Requests to the same host at the same time share one lookup. */
  #lookUp(host: string): Promise<readonly HostAddress[]> {
    const running = this.#running.get(host);
    if (running !== undefined) return running;
    const started = this.#inTurn(host).finally(() => this.#running.delete(host));
    this.#running.set(host, started);
    return started;
  }

  async #inTurn(host: string): Promise<readonly HostAddress[]> {
    if (this.#lookups >= MOST_LOOKUPS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#lookups += 1;
    try {
      return await this.#resolve(host);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#lookups -= 1;
      else next();
    }
  }
}

async function resolveAll(host: string): Promise<readonly HostAddress[]> {
  return await lookup(host, { all: true });
}
