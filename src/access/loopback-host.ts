import { isIPv4 } from 'node:net';

/** True for an address or name that reaches this machine only: `localhost` and names below it, 127.0.0.0/8, `::1`. */
export function isLoopbackHost(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.');
  return host === '::1' || /(^|\.)localhost$/i.test(host);
}
