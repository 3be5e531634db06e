import type { IncomingMessage } from 'node:http';
import { addressList, withoutMapping } from './address-list.ts';

/** True for the address of a proxy whose forwarding headers are believed. */
export type IsTrustedProxy = (address: string) => boolean;

/** Builds the check from addresses and ranges such as `10.0.0.0/8`. */
export function trustedProxies(ranges: readonly string[]): IsTrustedProxy {
  return addressList(ranges);
}

/**
 * Returns the address of the other end of the connection: the client or the nearest proxy. Empty if the socket is gone.
 */
export function peerAddress(request: IncomingMessage): string {
  return withoutMapping(request.socket.remoteAddress ?? '');
}
