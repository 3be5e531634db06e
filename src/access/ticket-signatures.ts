import { createHmac, timingSafeEqual } from 'node:crypto';
import { compactVerify, decodeProtectedHeader } from 'jose';
import type { TicketKey } from './ticket-keys.ts';

/** A ticket in the right form. Nothing of it is proven until its signature was checked. */
interface UncheckedTicket {
  readonly ticket: string;
  readonly kid: string | undefined;
  readonly alg: unknown;
  /** The payload in base64url. */
  readonly payload: string;
  readonly signature: string;
  /** The signed text: header and payload. */
  readonly signed: string;
}

/**
 * Splits a ticket into its parts, which are the same for every algorithm. Returns undefined if it is not a JWT in
 * canonical base64url. A header with `crit` or `b64` asks for an extension that no ticket needs (RFC 7515 section
 * 4.1.11, RFC 7797), so such a ticket is no JWT either.
 */
export function splitTicket(ticket: string): UncheckedTicket | undefined {
  const parts = ticket.split('.');
  const [head = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3 || !parts.every(isCanonical)) return undefined;
  const header = headerOf(ticket);
  if (header === undefined || 'crit' in header || 'b64' in header) return undefined;
  const { kid, alg } = header;
  const kidText = typeof kid === 'string' ? kid : undefined;
  return { ticket, kid: kidText, alg, payload, signature, signed: ticket.slice(0, head.length + 1 + payload.length) };
}

/** True for canonical base64url: no padding, no other characters, and unused bits are 0. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function headerOf(ticket: string): Record<string, unknown> | undefined {
  try {
    return decodeProtectedHeader(ticket);
  } catch {
    return undefined;
  }
}

/**
 * Returns whether the signature of a ticket was made with this key. The caller compares the algorithms first.
 *
 * HS256 is computed here, because WebCrypto uses a thread and takes ten times as long (ADR 30).
 */
export async function isSignedWith({ ticket, signed, signature }: UncheckedTicket, key: TicketKey): Promise<boolean> {
  if (key.alg !== 'HS256') {
    return await compactVerify(ticket, key.verifying, { algorithms: [key.alg] }).then(
      () => true,
      () => false,
    );
  }
  const given = Buffer.from(signature, 'base64url');
  const expected = createHmac('sha256', key.verifying).update(signed).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Returns the payload as JSON, or undefined if it is not JSON in UTF-8. */
export function payloadOf({ payload }: UncheckedTicket): unknown {
  try {
    return JSON.parse(strictUtf8.decode(Buffer.from(payload, 'base64url')));
  } catch {
    return undefined;
  }
}
