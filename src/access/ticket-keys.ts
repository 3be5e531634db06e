import { createSecretKey, type KeyObject } from 'node:crypto';
import { importJWK, type CryptoKey, type JWK } from 'jose';
import type { TicketKeyEntry } from './access-file.ts';

/** An imported ticket key. The algorithm is fixed, so a ticket cannot choose another one. */
export type TicketKey = SecretTicketKey | PairTicketKey;

interface SecretTicketKey {
  readonly kid: string;
  readonly alg: 'HS256';
  readonly verifying: KeyObject;
  readonly signing: KeyObject;
}

interface PairTicketKey {
  readonly kid: string;
  readonly alg: 'EdDSA' | 'ES256';
  readonly verifying: CryptoKey;
  /** Undefined if only the public half is known. */
  readonly signing: CryptoKey | undefined;
}

/** Imports a key. Rejects if it is not a key of its algorithm. */
export async function importTicketKey(entry: TicketKeyEntry): Promise<TicketKey> {
  const { kid } = entry;
  if (entry.alg === 'HS256') {
    const secret = createSecretKey(entry.secret, 'base64url');
    return { kid, alg: entry.alg, verifying: secret, signing: secret };
  }
  const { alg } = entry;
  const { d } = entry.jwk;
  const publicPart = publicPartOf(entry);
  const verifying = await importKey(publicPart, alg);
  return { kid, alg, verifying, signing: d === undefined ? undefined : await importKey({ ...publicPart, d }, alg) };
}

/** Leaves out members such as `use` or `key_ops`, which could forbid the use of the key. */
function publicPartOf(entry: Exclude<TicketKeyEntry, { alg: 'HS256' }>): JWK {
  const { kty, crv, x } = entry.jwk;
  return entry.alg === 'ES256' ? { kty, crv, x, y: entry.jwk.y } : { kty, crv, x };
}

async function importKey(jwk: JWK, alg: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, alg);
  if (key instanceof Uint8Array) throw new Error('the key is symmetric');
  return key;
}
