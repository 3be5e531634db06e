import { ServiceError } from '../errors.ts';
import { CountByKey } from '../http/count-by-key.ts';

/** How many bodies may be received at once; 0 means no limit. */
export interface OpenUploadLimits {
  maxOpen: number;
  maxOpenPerAddress: number;
}

/** A body that is being received. */
interface OpenUpload {
  /** Undefined before the first sample. */
  readonly bytesPerS: number | undefined;
  /** Called at most once, if a newer body replaces this one. */
  readonly end: (reason: ServiceError) => void;
}

/** Pause for a rejected client. One of the running bodies has probably ended after it. */
const RETRY_AFTER_MS = 2_000;

/** Only a client below this rate is evicted. Otherwise normal clients would evict each other, and none would finish. */
const EVICTED_BELOW_BYTES_PER_S = 16 * 1024;

/**
 * Limits the bodies that are received at once, in total and by client address. If the total is reached, a new body
 * evicts the slowest client.
 */
export class OpenUploads {
  readonly #limits: OpenUploadLimits;
  readonly #byAddress = new CountByKey();
  /** The running uploads, each with the release of its place. */
  readonly #uploads = new Map<OpenUpload, () => void>();

  constructor(limits: OpenUploadLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a place and returns its release. Throws `too_many_uploads_by_address` (429), or `too_many_uploads` (503) if
   * all places are taken and no client is slow enough to be evicted.
   */
  enter(address: string, upload: OpenUpload): () => void {
    const { maxOpen, maxOpenPerAddress } = this.#limits;
    if (maxOpenPerAddress > 0 && this.#byAddress.of(address) >= maxOpenPerAddress) {
      throw new ServiceError(
        'too_many_uploads_by_address',
        `Your address is sending ${maxOpenPerAddress} uploads, the maximum. Send the file again when one has ended.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    if (maxOpen > 0 && this.#uploads.size >= maxOpen) this.#evictSlowest();
    this.#uploads.set(upload, this.#byAddress.add(address));
    return () => this.#leave(upload);
  }

  /** Evicts the slowest client: the oldest one if several are equally slow. */
  #evictSlowest(): void {
    let slowest: OpenUpload | undefined;
    let leastBytesPerS = EVICTED_BELOW_BYTES_PER_S;
    for (const upload of this.#uploads.keys()) {
      const { bytesPerS } = upload;
      if (bytesPerS === undefined || bytesPerS >= leastBytesPerS) continue;
      slowest = upload;
      leastBytesPerS = bytesPerS;
    }
    if (slowest === undefined) throw tooMany('The server is receiving its maximum number of uploads.');
    this.#leave(slowest);
    slowest.end(tooMany('The server is receiving its maximum number of uploads, and this one was the slowest.'));
  }

  /** Releases the place of an upload. A second call does nothing. */
  #leave(upload: OpenUpload): void {
    this.#uploads.get(upload)?.();
    this.#uploads.delete(upload);
  }
}

function tooMany(reason: string): ServiceError {
  return new ServiceError('too_many_uploads', `${reason} Send the file again after the time in Retry-After.`, {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
