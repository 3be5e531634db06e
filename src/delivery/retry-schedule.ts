const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Pauses after the first, second, … failed try. */
const PAUSES_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
];

/** The number of the last try. */
export const LAST_TRY = PAUSES_MS.length + 1;

/** An endpoint may ask for a pause up to this one with `Retry-After`. */
const MAX_REQUESTED_PAUSE_MS = HOUR_MS;

/** Pauses are longer or shorter by up to this share, so that an endpoint that is back is not flooded. */
const JITTER = 0.15;

/**
 * Returns the pause after the failed try of this number, 1 for the first.
 * @param askedMs the pause that the endpoint asked for. It makes the pause longer, never shorter.
 */
export function pauseAfterTry(tries: number, askedMs = 0): number {
  const usualMs = PAUSES_MS[Math.min(tries, PAUSES_MS.length) - 1] ?? 0;
  const pauseMs = Math.max(usualMs, Math.min(askedMs, MAX_REQUESTED_PAUSE_MS));
  return Math.round(pauseMs * (1 - JITTER + 2 * JITTER * Math.random()));
}
