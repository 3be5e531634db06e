/**
 * Multipart uploads that several requests fill: a client puts the parts into the bucket by itself, or this service does
 * with `put`. Only a driver for a bucket has them. Keys are as in `Storage`.
 */
export interface DirectParts {
  /** Begins a multipart upload and returns its id. The object does not exist before `complete`. */
  begin(key: string): Promise<string>;

  /**
   * Returns the id of the multipart upload of a key: of the oldest one if there are several. `none` if there is none,
   * and `unknown` if the server cannot list them.
   * @param except ignores this one.
   */
  find(key: string, except?: string): Promise<{ uploadId: string } | 'none' | 'unknown'>;

  /**
   * Stores a part. A part that is sent again under its number replaces the earlier one. Rejects with
   * `service_unavailable` (503), also if the upload was completed or aborted.
   */
  put(upload: DirectUpload, number: number, bytes: Buffer): Promise<void>;

  /**
   * Makes a part of a range of another object. The bytes do not pass this process. False if the bucket cannot do that.
   * Rejects as `put` does.
   */
  copy(upload: DirectUpload, number: number, from: CopiedRange): Promise<boolean>;

  /** Returns the addresses that parts may be put to. No request to the bucket is needed. */
  sign(upload: DirectUpload, parts: readonly PartToSend[]): Promise<SignedPart[]>;

  /** Returns the parts that the bucket has, by number. Undefined if the upload was completed or aborted. */
  list(upload: DirectUpload): Promise<StoredPart[] | undefined>;

  /**
   * Makes an object of the parts, which must be in order. Returns false if the upload was already completed or aborted;
   * the object may exist then. Throws `PartsRefusedError` if the bucket does not accept the parts.
   */
  complete(upload: DirectUpload, parts: readonly Pick<StoredPart, 'number' | 'etag'>[]): Promise<boolean>;

  /** Removes the parts. Does nothing if the upload was already completed or aborted. */
  abort(upload: DirectUpload): Promise<void>;
}

/** Names one multipart upload. */
export interface DirectUpload {
  key: string;
  uploadId: string;
}

/** A range of bytes to copy. Both ends are inclusive. */
export interface CopiedRange {
  key: string;
  start: number;
  end: number;
}

/** A part that a client wants to send. */
export interface PartToSend {
  /** The number of the part, from 1. */
  number: number;
  /** The bucket accepts no other length. */
  sizeBytes: number;
}

/** The address to which a client may put one part. */
export interface SignedPart {
  number: number;
  url: string;
  /** The client must send these headers, besides Content-Length. */
  headers: Record<string, string>;
  expiresAt: Date;
}

/** A part in the bucket. */
export interface StoredPart {
  number: number;
  sizeBytes: number;
  /** The entity tag of the part, without quotes. */
  etag: string;
  storedAt: Date;
}

/** The bucket does not make an object of these parts. The message is the reason in S3's words. */
export class PartsRefusedError extends Error {
  constructor(reason: string, options: ErrorOptions = {}) {
    super(reason, options);
    this.name = 'PartsRefusedError';
  }
}
