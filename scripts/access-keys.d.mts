/** An API key, and its line for the access file. */
export interface NewApiKey {
  key: string;
  line: { id: string; sha256: string };
}

/** A key that signs tickets, as a line for the access file. */
export interface NewTicketKey {
  kid: string;
  alg: 'HS256';
  secret: string;
}

export function isTenantName(name: string | undefined): name is string;
export function newApiKey(tenant: string): NewApiKey;
export function newTicketKey(tenant: string): NewTicketKey;
export function addToAccessFile(
  path: string,
  tenant: string,
  list: 'keys' | 'tickets',
  line: NewApiKey['line'] | NewTicketKey,
): void;
