import { createHash, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';

/** Makes an API key in the form that the service makes. */
export function newApiKey(tenant: string): string {
  return `du_${tenant}_${randomBytes(32).toString('base64url')}`;
}

/** Returns the entry of an API key for the access file. */
export function keyEntry(id: string, apiKey: string): { id: string; sha256: string } {
  return { id, sha256: createHash('sha256').update(apiKey).digest('hex') };
}

/** Makes the secret of an HS256 key for the access file. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** The claims of a ticket. Undefined members are left out. */
export type Claims = Record<string, unknown>;

/** Signs a ticket with HS256 that is valid for an hour. `claims` replaces the usual ones. */
export async function newTicket(kid: string, secret: string, claims: Claims = {}): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const all = { aud: 'deferred-uploads', iat: nowSeconds, exp: nowSeconds + 3600, ...claims };
  return await new SignJWT(JSON.parse(JSON.stringify(all)) as Claims)
    .setProtectedHeader({ alg: 'HS256', kid })
    .sign(Buffer.from(secret, 'base64url'));
}
