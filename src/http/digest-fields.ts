import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '../errors.ts';
import type { DigestAlgorithm, SentDigest } from '../intake/body-digests.ts';

/** The algorithms of RFC 9530 section 5 that are checked, and the bytes of their digests. Others are ignored. */
const ALGORITHMS = new Map<string, { algorithm: DigestAlgorithm; byteCount: number }>([
  ['sha-256', { algorithm: 'sha256', byteCount: 32 }],
  ['sha-512', { algorithm: 'sha512', byteCount: 64 }],
]);

/** A digest describes the whole representation or the content. For a body that is sent whole both are the same. */
const FIELDS = ['repr-digest', 'content-digest'] as const;

/**
 * A member of a dictionary whose value is a byte sequence (RFC 8941 section 3.2). Parameters are ignored. The character
 * classes are disjoint, so that a match takes linear time.
 */
const MEMBER = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):(?:;[^,]*)?$/;

/**
 * Returns the digests in `Repr-Digest` and `Content-Digest` (RFC 9530) that can be checked. A field that is no
 * dictionary of byte sequences is ignored if it names none of our algorithms. Otherwise it throws `bad_digest` (400),
 * because the client would believe that its bytes are checked.
 */
export function sentDigests(headers: IncomingHttpHeaders): SentDigest[] {
  return FIELDS.flatMap((field) => membersOf(headers[field]).flatMap((member) => digestIn(field, member)));
}

function membersOf(value: string | string[] | undefined): string[] {
  return [value ?? []]
    .flat()
    .flatMap((line) => line.split(','))
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

function digestIn(field: string, member: string): SentDigest[] {
  const known = ALGORITHMS.get(/^[^=;\s]*/.exec(member)?.[0].toLowerCase() ?? '');
  if (known === undefined) return [];
  const [, , base64] = MEMBER.exec(member) ?? [];
  const digest = Buffer.from(base64 ?? '', 'base64');
  if (digest.length === known.byteCount) return [{ algorithm: known.algorithm, digest }];
  throw new ServiceError(
    'bad_digest',
    `${field} is malformed. Send an algorithm and the digest in base64 between colons, as in sha-256=:…:.`,
  );
}
