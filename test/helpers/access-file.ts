import { createHash, randomBytes } from 'node:crypto';

/** An API key in the form that the service makes. */
export function newApiKey(tenant: string): string {
  return `du_${tenant}_${randomBytes(32).toString('base64url')}`;
}

/** The entry of an API key in the access file. */
export function keyEntry(id: string, apiKey: string): { id: string; sha256: string } {
  return { id, sha256: createHash('sha256').update(apiKey).digest('hex') };
}

/** The secret of an HS256 key in the access file. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}
