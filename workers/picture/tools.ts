import type { ChargeClock } from '../charged-time.ts';
import type { HeicReader } from './heic/heic-reader.ts';
import type { PictureLimits } from './limits.ts';
import { AbandonedCalls, StepBounds } from './step-bounds.ts';

/** The parts that the steps of a picture share. */
export interface PictureTools {
  readonly limits: PictureLimits;
  /** Measures the time of a step. */
  readonly clock: ChargeClock;
  /** The abandoned calls of the process. All its pictures share them. */
  readonly abandoned: AbandonedCalls;
  readonly heic: HeicReader;
}

/** Most calls end within this time. It is less than the grace that a stopping process gives to a processor. */
const GRACE_MS = 1000;

/** Creates the bounds of a step that starts now. */
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
    tooSlow: `${words.does} took more than ${limitMs / 1000} seconds. ${words.advice}`,
  });
}
