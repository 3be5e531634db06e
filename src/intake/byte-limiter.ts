import { ServiceError } from '../errors.ts';

/** Counts the bytes of one body and throws with the first one over its limit. */
export class ByteLimiter {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws `file_too_large` (413). */
  add(byteCount: number): void {
    this.#bytes += byteCount;
    if (this.#bytes > this.#maxBytes) throw fileTooLarge(this.#maxBytes);
  }
}

/** The refusal itself, for those that know the length before the first byte. */
export function fileTooLarge(maxBytes: number): ServiceError {
  return new ServiceError('file_too_large', `A file may have at most ${maxBytes} bytes.`);
}
