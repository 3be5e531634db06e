import { createHash, type Hash } from 'node:crypto';
import { ServiceError } from '../errors.ts';

/** The algorithms of digests that a client may send. */
export type DigestAlgorithm = 'sha1' | 'sha256' | 'sha512';

/** A digest that a client has computed of the bytes that it sends. */
export interface SentDigest {
  readonly algorithm: DigestAlgorithm;
  readonly digest: Buffer;
}

/** Hashes the bytes of a body with each algorithm once, and compares the results with the digests of the client. */
export class BodyDigests {
  readonly #sent: readonly SentDigest[];
  readonly #hashes: ReadonlyMap<DigestAlgorithm, Hash>;
  #results: ReadonlyMap<DigestAlgorithm, Buffer> | undefined;

  /** @param always algorithms that are needed even if the client has sent no digest. */
  constructor(sent: readonly SentDigest[], always: readonly DigestAlgorithm[] = []) {
    this.#sent = sent;
    const algorithms = new Set([...always, ...sent.map(({ algorithm }) => algorithm)]);
    this.#hashes = new Map([...algorithms].map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  update(chunk: Buffer): void {
    for (const hash of this.#hashes.values()) hash.update(chunk);
  }

  /** True if the bytes have every digest that the client sent. Ends the hashing. */
  get areRight(): boolean {
    return this.#sent.every(({ algorithm, digest }) => this.#resultOf(algorithm)?.equals(digest));
  }

  /** Throws `digest_mismatch` (400) if the bytes do not have a digest that the client sent. Ends the hashing. */
  requireRight(): void {
    if (this.areRight) return;
    throw new ServiceError(
      'digest_mismatch',
      'The received bytes do not have the digest that was sent with them. Check the digest, or send the file again.',
    );
  }

  /** Returns the SHA-256 in hex; null if nobody needs it. Ends the hashing. */
  get sha256(): string | null {
    return this.#resultOf('sha256')?.toString('hex') ?? null;
  }

  #resultOf(algorithm: DigestAlgorithm): Buffer | undefined {
    this.#results ??= new Map([...this.#hashes].map(([name, hash]) => [name, hash.digest()]));
    return this.#results.get(algorithm);
  }
}
