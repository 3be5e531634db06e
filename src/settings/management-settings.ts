import { z } from 'zod';
import { ANY_HOST, isLoopbackHost } from '../access/allowed-hosts.ts';
import { digits, text } from './forms.ts';

/** The second address of an API process, for monitoring. */
export const MANAGEMENT = {
  MANAGEMENT_HOST: text
    .optional()
    .describe(
      'Address that serves /metrics, /openapi.json and the details of /readyz. If it is empty, HOST if that is a ' +
        'loopback address, and 127.0.0.1 otherwise (docs/operations.md).',
    ),
  MANAGEMENT_PORT: digits(0, 65_535)
    .optional()
    .describe(
      'Port of that address; 0 picks a free one. If it is empty, PORT if MANAGEMENT_HOST is HOST, and the port after ' +
        'PORT otherwise.',
    ),
};

/** Where an API process serves the addresses that are only for its operators. */
export interface ManagementPlace {
  readonly host: string;
  /** The port; 0 takes any free one. */
  readonly port: number;
  /** Host names that requests may be sent to besides `host` and loopback names. */
  readonly allowedHosts: readonly string[];
}

type ManagementSettings = z.infer<z.ZodObject<typeof MANAGEMENT>> & {
  HOST: string;
  PORT: number;
  ALLOWED_HOSTS: readonly string[];
};

/** Returns the management address. Undefined if it is the address of the service itself. */
export function managementPlace(values: ManagementSettings): ManagementPlace | undefined {
  const { HOST, PORT, ALLOWED_HOSTS: allowed, MANAGEMENT_PORT: givenPort } = values;
  const host = values.MANAGEMENT_HOST ?? (isLoopbackHost(HOST) ? HOST : '127.0.0.1');
  if (host === HOST && (givenPort === undefined || (givenPort === PORT && PORT !== 0))) return undefined;
  const allowsAny = allowed.length === 0 && !isLoopbackHost(host);
  return { host, port: givenPort ?? portAfter(PORT), allowedHosts: allowsAny ? [ANY_HOST] : allowed };
}

/** Addresses that stand for all addresses of the machine, so that no other one can have their port. */
const ALL_ADDRESSES: readonly string[] = ['0.0.0.0', '::'];

/** Returns a sentence about a port that two addresses cannot share. Undefined if they can be listened on together. */
export function managementContradiction(values: ManagementSettings): string | undefined {
  const { HOST: host, PORT: port } = values;
  const management = managementPlace(values);
  if (management === undefined || port === 0 || management.port !== port) return undefined;
  if (![host, management.host].some((address) => ALL_ADDRESSES.includes(address))) return undefined;
  return `MANAGEMENT_PORT must differ from PORT, because HOST=${host} and MANAGEMENT_HOST=${management.host} overlap`;
}

/** Returns the next port. After 0, which picks a free one, and 65535 there is none. */
function portAfter(port: number): number {
  return port === 0 || port === 65_535 ? 0 : port + 1;
}
