/**
 * Returns microseconds of the machine's monotonic clock. All processes of one machine share it, so times of different
 * processes can be compared.
 */
export function sharedNowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

/** The time at which the upload in `slot` reached `version`, or at which a client read it. */
export interface Moment {
  slot: number;
  version: number;
  /** When it happened, as returned by `sharedNowUs`. */
  atUs: number;
}
