import { ServiceError } from '../../errors.ts';
import { AddressRefusedError, type PublicAddresses } from '../../http/public-address.ts';

/** Parses the address of a file. Throws `import_refused` (400) unless it is http or https without credentials. */
export function importUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base)) throw refused('The address is not a URL. Send an http or https URL.');
  const url = new URL(text, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refused('The address is not http or https. Send such a URL.');
  if (url.username !== '' || url.password !== '')
    throw refused('The address has a user name or a password. Use an address that needs none.');
  // The fragment is not sent, and may contain a secret of the page that the address is from.
  url.hash = '';
  return url;
}

/** Returns the last part of the path of an address, decoded. */
export function nameInUrl({ pathname }: URL): string {
  const last = pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Returns the error for a host without an allowed address (400); undefined for any other error. */
export function asRefusal(error: unknown): ServiceError | undefined {
  if (!(error instanceof AddressRefusedError)) return undefined;
  return refused('The host of the address is not on the public internet. Send an address that everybody can reach.');
}

/** Resolves the hosts of addresses. */
export type ImportAddresses = Pick<PublicAddresses, 'of'>;

function refused(detail: string): ServiceError {
  return new ServiceError('import_refused', detail);
}
