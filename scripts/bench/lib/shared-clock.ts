/**
 * Microseconds of the machine's monotonic clock. All processes of one machine read the same, so that
 * a moment noted in one can be taken from a moment noted in another.
 */
export function sharedNowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

/** When the upload in `slot` came to `version`, or when somebody heard of it. */
export interface Moment {
  slot: number;
  version: number;
  /** Of `sharedNowUs`. */
  atUs: number;
}
