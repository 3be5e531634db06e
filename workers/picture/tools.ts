import type { ChargeClock } from '../charged-time.ts';
import type { PictureLimits } from './limits.ts';
import { AbandonedCalls, StepBounds } from './step-bounds.ts';

/** What every step of a picture's is made with. */
export interface PictureTools {
  readonly limits: PictureLimits;
  /** What the time of a step is measured by. */
  readonly clock: ChargeClock;
  /** Shared by all pictures of the process. */
  readonly abandoned: AbandonedCalls;
}

/** Most calls take less, and a process that stops gives a processor a little more to obey. */
const GRACE_MS = 1000;

/** Bounds for a step that begins now. */
export function boundsOf(
  { limits, clock, abandoned }: PictureTools,
  signal: AbortSignal,
  words: { does: string; advice: string },
): StepBounds {
  const limitMs = limits.stepTimeoutMs;
  return new StepBounds({
    signal,
    limitMs,
    clock,
    graceMs: GRACE_MS,
    abandoned,
    tooSlow: `${words.does} takes more than ${limitMs / 1000} seconds. ${words.advice}`,
  });
}
