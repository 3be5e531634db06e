import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { MAX_TICKET_SECONDS, ticketUploadSchema, type TicketUpload } from '../wire/access-schemas.ts';
import { faultOf } from '../wire/schema-faults.ts';
import type { Tenants, FoundTicketKey } from './tenants.ts';
import type { TicketKey } from './ticket-keys.ts';
import { isSignedWith, payloadOf, splitTicket } from './ticket-signatures.ts';

/** The claim `aud` of every ticket. */
const TICKET_AUDIENCE = 'deferred-uploads';

/** The clocks of the application and of this machine may differ by this much. */
const LEEWAY_SECONDS = 30;

/** Longer than any ticket with valid claims, so a longer text is rejected without a check. */
const MAX_TICKET_LENGTH = 14_336;

/** A ticket whose signature and claims are right. */
export interface CheckedTicket extends FoundTicketKey {
  readonly jti: string | undefined;
  readonly upload: TicketUpload;
  /** The end of the leeway after `exp`. */
  readonly expiresAtMs: number;
  /** True after `expiresAtMs`. */
  readonly isExpired: boolean;
}

/** The ticket is not accepted. The message says what to change, and contains nothing of the ticket. */
export class TicketError extends Error {}

const seconds = () => {
  const message = 'is required, in seconds since 1970';
  return z.number(message).min(0, message);
};

/** Other registered claims, such as `iss`, are ignored. */
const claimsSchema = z
  .object({
    aud: z.unknown().refine((aud) => [aud].flat().includes(TICKET_AUDIENCE), `must be "${TICKET_AUDIENCE}"`),
    iat: seconds(),
    exp: seconds(),
    nbf: seconds().optional(),
    jti: z.string().min(1, 'must not be empty').max(128, 'must have at most 128 characters').optional(),
    upload: ticketUploadSchema.optional(),
    import: ticketUploadSchema.shape.import,
  })
  .refine(({ iat, exp }) => exp - iat <= MAX_TICKET_SECONDS, `exp must be at most ${MAX_TICKET_SECONDS} s after iat`)
  .refine(({ jti, upload }) => jti !== undefined || upload?.maxFiles === undefined, 'jti is required with maxFiles');

/**
 * Checks the signature and the claims of a ticket, without any I/O. An expired ticket is returned as such, because it
 * still says what its holder may do with an upload that exists. Rejects with TicketError.
 */
export async function checkTicket(tenants: Tenants, ticket: string, nowMs: number): Promise<CheckedTicket> {
  if (ticket.length > MAX_TICKET_LENGTH) throw new TicketError('The ticket is too long. Use fewer claims.');
  const { found, payload } = await verify(tenants, ticket);
  const { iat, nbf = 0, exp, jti, upload = {}, import: mayImport } = parseClaims(payload);
  if (Math.max(iat, nbf) > nowMs / 1000 + LEEWAY_SECONDS)
    throw new TicketError('The ticket is not valid yet. Check the clock of the application that signs it.');
  const expiresAtMs = (exp + LEEWAY_SECONDS) * 1000;
  const isExpired = nowMs >= expiresAtMs;
  if (exp < iat && !isExpired) throw new TicketError('The exp of the ticket is before its iat. Sign a new one.');
  return {
    ...found,
    jti,
    upload: mayImport === undefined ? upload : { import: mayImport, ...upload },
    expiresAtMs,
    isExpired,
  };
}

/** Returns the key and the payload of a ticket with a right signature. */
async function verify(tenants: Tenants, ticket: string): Promise<{ found: FoundTicketKey; payload: unknown }> {
  const unchecked = splitTicket(ticket);
  if (unchecked === undefined) throw new TicketError('The ticket is not a signed JWT. Sign a new one.');
  if (unchecked.kid === undefined) throw new TicketError('The header of the ticket has no kid. It must name the key.');
  const found = tenants.findTicketKey(unchecked.kid);
  if (found === undefined)
    throw new TicketError('The kid of the ticket names no key. The key may have been removed. Sign with another key.');
  const { key } = found;
  // The algorithm is a property of the key, so a ticket cannot choose it (RFC 8725 section 3.1).
  if (unchecked.alg !== key.alg)
    throw new TicketError(`The ticket has another algorithm than its key. Sign it with ${key.alg}.`);
  if (!(await isSignedWith(unchecked, key)))
    throw new TicketError('The signature of the ticket is wrong. Sign it with the key that its kid names.');
  return { found, payload: payloadOf(unchecked) };
}

function parseClaims(payload: unknown): z.infer<typeof claimsSchema> {
  const parsed = claimsSchema.safeParse(payload, { error: faultOf });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'invalid_type' && issue.path.length === 0)
    throw new TicketError('The payload of the ticket is not a JSON object. Sign an object with the claims.');
  const place = issue?.path.map(String).join('.');
  throw new TicketError(`A claim of the ticket is wrong: ${[place, issue?.message].join(' ').trim()}.`);
}

/** A signed ticket and its time `exp`. */
interface SignedTicket {
  readonly ticket: string;
  readonly expiresAtMs: number;
}

/** Signs a ticket with the private half of a key. */
export async function signTicket(
  { kid, alg }: Pick<TicketKey, 'kid' | 'alg'>,
  signing: NonNullable<TicketKey['signing']>,
  { expiresInSeconds, upload, nowMs }: { expiresInSeconds: number; upload: TicketUpload; nowMs: number },
): Promise<SignedTicket> {
  const iat = Math.floor(nowMs / 1000);
  const exp = iat + expiresInSeconds;
  const ticket = await new SignJWT({ upload })
    .setProtectedHeader({ alg, kid, typ: 'JWT' })
    .setAudience(TICKET_AUDIENCE)
    .setIssuedAt(iat)
    .setExpirationTime(exp)
    .setJti(randomBytes(16).toString('base64url'))
    .sign(signing);
  return { ticket, expiresAtMs: exp * 1000 };
}
