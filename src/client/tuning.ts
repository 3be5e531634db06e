/** The client's figures; the defaults suit a page. */
export interface Tuning {
  /** Files on their way at the same time, 3 by default: a browser has six connections to a server. */
  sendAtOnce: number;
  /** Files above this go in parts, 33554432 (32 MiB) by default: a break or a pause costs nothing of them. */
  resumableAboveBytes: number;
  /** The longest part, 16777216 (16 MiB) by default; lower it for proxies that limit bodies. */
  partBytes: number;
  /** Left between two progress requests, 250 by default. */
  gapMs: number;
  /** How long the server is asked to hold a progress request, 25000 by default. */
  holdMs: number;
  /** Between two progress requests where held answers do not get through, 2000 by default. */
  pollMs: number;
  /** The first pause after a failure, 500 by default; it doubles with each further one. */
  firstRetryMs: number;
  /** The longest pause after a failure, 30000 by default. */
  longestRetryMs: number;
  /** From the first failure of a request to giving it up, 600000 by default. */
  giveUpAfterMs: number;
}

/** What holds where nothing else is said. */
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
