import { ServiceError } from '../errors.ts';

/** How many bodies may be received at once; 0 means no limit. */
export interface OpenUploadLimits {
  maxOpen: number;
  maxOpenPerAddress: number;
}

/** A body under way. */
export interface OpenUpload {
  /** Undefined while nothing is known. */
  readonly bytesPerS: number | undefined;
  /** Called at most once, when the body loses its place to a newer one. */
  readonly end: (reason: ServiceError) => void;
}

/** When one of the bodies under way is likely to have ended. */
const RETRY_AFTER_MS = 2_000;

/** Only a sender below this rate loses its place. Otherwise ordinary senders would end each other, and none would finish. */
const EVICTED_BELOW_BYTES_PER_S = 16 * 1024;

/**
 * Counts bodies under way, in all and by client address; nothing is kept of an address that sends none. When all places
 * are taken the slowest sender loses its own to the newcomer.
 */
export class OpenUploads {
  readonly #limits: OpenUploadLimits;
  readonly #byAddress = new Map<string, number>();
  readonly #uploads = new Map<OpenUpload, string>();

  constructor(limits: OpenUploadLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a place and returns its release. Throws `too_many_uploads_by_address` (429), or `too_many_uploads` (503) if
   * all places are taken and every sender is fast or new.
   */
  enter(address: string, upload: OpenUpload): () => void {
    const { maxOpen, maxOpenPerAddress } = this.#limits;
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (maxOpenPerAddress > 0 && ofAddress >= maxOpenPerAddress) {
      throw new ServiceError(
        'too_many_uploads_by_address',
        `At most ${maxOpenPerAddress} uploads at once from one address. Wait for one to end.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    if (maxOpen > 0 && this.#uploads.size >= maxOpen) this.#evictSlowest();
    this.#uploads.set(upload, address);
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1);
    return () => this.#leave(upload);
  }

  /** The oldest of those that are equally slow. */
  #evictSlowest(): void {
    let slowest: OpenUpload | undefined;
    let leastBytesPerS = EVICTED_BELOW_BYTES_PER_S;
    for (const upload of this.#uploads.keys()) {
      const { bytesPerS } = upload;
      if (bytesPerS === undefined || bytesPerS >= leastBytesPerS) continue;
      slowest = upload;
      leastBytesPerS = bytesPerS;
    }
    if (slowest === undefined) throw tooMany('The server receives as many uploads as it can at once.');
    this.#leave(slowest);
    slowest.end(tooMany('The server receives as many uploads as it can at once, and this one came slowest.'));
  }

  /** A second call does nothing. */
  #leave(upload: OpenUpload): void {
    const address = this.#uploads.get(upload);
    if (address === undefined) return;
    this.#uploads.delete(upload);
    const left = (this.#byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}

function tooMany(reason: string): ServiceError {
  return new ServiceError('too_many_uploads', `${reason} Send the file again shortly.`, {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
