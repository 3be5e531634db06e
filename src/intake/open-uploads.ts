import { ServiceError } from '../errors.ts';

/** How many bodies may be received at once; 0 means no limit. */
export interface OpenUploadLimits {
  maxOpen: number;
  maxOpenPerAddress: number;
}

/** When one of the bodies under way is likely to have ended. */
const RETRY_AFTER_MS = 2_000;

/** Counts bodies under way, in all and by client address; nothing is kept of an address that sends none. */
export class OpenUploads {
  readonly #limits: OpenUploadLimits;
  readonly #byAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: OpenUploadLimits) {
    this.#limits = limits;
  }

  /** Takes a place and returns its release. Throws `too_many_uploads` (503) or `too_many_uploads_by_address` (429). */
  enter(address: string): () => void {
    const { maxOpen, maxOpenPerAddress } = this.#limits;
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (maxOpenPerAddress > 0 && ofAddress >= maxOpenPerAddress) {
      throw new ServiceError(
        'too_many_uploads_by_address',
        `At most ${maxOpenPerAddress} uploads at once from one address. Wait for one to end.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    if (maxOpen > 0 && this.#open >= maxOpen) {
      throw new ServiceError(
        'too_many_uploads',
        'The server receives as many uploads as it can at once. Try again shortly.',
        { retryAfterMs: RETRY_AFTER_MS },
      );
    }
    this.#open += 1;
    this.#byAddress.set(address, ofAddress + 1);
    return () => this.#leave(address);
  }

  #leave(address: string): void {
    this.#open -= 1;
    const left = (this.#byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}
