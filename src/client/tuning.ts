/** Limits and times of the client. The defaults are made for a web page. */
export interface Tuning {
  /** Files that are sent at the same time. Default 3, because a browser opens at most six connections to a server. */
  sendAtOnce: number;
  /** Files larger than this are sent in parts, so that a break or a pause loses no data. Default 33554432 (32 MiB). */
  resumableAboveBytes: number;
  /** Size of a part. Default 16777216 (16 MiB). Lower it for proxies that limit request bodies. */
  partBytes: number;
  /** Pause between two progress requests. Default 250. */
  gapMs: number;
  /** Time for which the server is asked to hold a progress request. Default 25000. */
  holdMs: number;
  /** Pause between two progress requests if a proxy does not let held answers through. Default 2000. */
  pollMs: number;
  /** The first pause after a failure. It doubles with each further failure. Default 500. */
  firstRetryMs: number;
  /** The longest pause after a failure. Default 30000. */
  longestRetryMs: number;
  /** A request is given up after this time since its first failure. Default 600000. */
  giveUpAfterMs: number;
}

/** The defaults. */
export const DEFAULT_TUNING: Readonly<Tuning> = {
  sendAtOnce: 3,
  resumableAboveBytes: 32 * 2 ** 20,
  partBytes: 16 * 2 ** 20,
  gapMs: 250,
  holdMs: 25_000,
  pollMs: 2000,
  firstRetryMs: 500,
  longestRetryMs: 30_000,
  giveUpAfterMs: 600_000,
};
