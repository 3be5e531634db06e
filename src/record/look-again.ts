import { ServiceError } from '../errors.ts';

const LOOK_AGAIN_MS = 500;

/**
 * Calls `look` in half a second where the error says that the record could not be read: connections to Redis come back one after
 * the other, and one may tell of a gap in the events while that which reads is not there yet. What went by in the gap is told of
 * by nothing else. The caller clears the timer; undefined where it is no use to look again.
 */
export function lookAgainAfter(error: unknown, look: () => void): NodeJS.Timeout | undefined {
  const isAway = error instanceof ServiceError && error.code === 'service_unavailable';
  return isAway ? setTimeout(look, LOOK_AGAIN_MS) : undefined;
}
