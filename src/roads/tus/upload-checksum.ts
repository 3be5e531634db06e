import { ServiceError } from '../../errors.ts';
import { BodyDigests, type DigestAlgorithm, type SentDigest } from '../../intake/body-digests.ts';

/** The algorithms of the extension "checksum" and the bytes of their digests. tus requires SHA-1. */
const ALGORITHMS = new Map<string, { algorithm: DigestAlgorithm; byteCount: number }>([
  ['sha1', { algorithm: 'sha1', byteCount: 20 }],
  ['sha256', { algorithm: 'sha256', byteCount: 32 }],
]);

/** The value of `Tus-Checksum-Algorithm`. */
export const CHECKSUM_ALGORITHMS = [...ALGORITHMS.keys()].join(',');

/** The status of the extension "checksum" for bytes without the digest that was sent. */
const CHECKSUM_MISMATCH = 460;

/**
 * Returns the digest in `Upload-Checksum` (tus 1.0, "Checksum"), undefined without the header. Throws `bad_digest`
 * (400) for an unknown algorithm or a malformed value.
 */
export function uploadChecksum(header: string | undefined): SentDigest | undefined {
  if (header === undefined) return undefined;
  const [name = '', base64 = '', ...rest] = header.split(' ');
  const known = ALGORITHMS.get(name);
  const digest = Buffer.from(base64, 'base64');
  if (known !== undefined && rest.length === 0 && digest.length === known.byteCount)
    return { algorithm: known.algorithm, digest };
  throw new ServiceError(
    'bad_digest',
    `Upload-Checksum must be one of ${CHECKSUM_ALGORITHMS}, a space, and the digest in base64.`,
  );
}

/** The chunks of a body that has a checksum. */
export class CheckedChunks {
  readonly #digests: BodyDigests;
  #fault: unknown;

  constructor(checksum: SentDigest) {
    this.#digests = new BodyDigests([checksum]);
  }

  /**
   * Hashes a chunk and passes it on. A fault of the file is kept until the body has ended, because a byte that was
   * changed on the way must not end the upload.
   */
  async pass(chunk: Buffer, next: (chunk: Buffer) => Promise<void>): Promise<void> {
    this.#digests.update(chunk);
    if (this.#fault !== undefined) return;
    try {
      await next(chunk);
    } catch (error) {
      this.#fault = error;
    }
  }

  /** Call it at the end. Throws `digest_mismatch` (460), or the fault that was kept. */
  requireRight(): void {
    if (this.#digests.areRight) {
      if (this.#fault !== undefined) throw this.#fault;
      return;
    }
    throw new ServiceError(
      'digest_mismatch',
      'The received bytes do not have the digest in Upload-Checksum. They were discarded. Send them again.',
      { status: CHECKSUM_MISMATCH },
    );
  }
}
