import type { Context } from 'koa';
import { ServiceError } from '../errors.ts';
import { preferredWaitSeconds } from './prefer.ts';
import { queryParameter } from './query.ts';

/** More digits than this are more than anybody waits, and are clamped like it. */
const MILLISECONDS = /^\d+$/;

/**
 * How long a client wants its answer held: `?timeout=<ms>`, or else `Prefer: wait=<seconds>`, which is
 * answered with `Preference-Applied`; clamped to `maxTimeoutMs`. Undefined where it says neither.
 * Throws `bad_timeout` (400) for a timeout that is not decimal digits, or given twice.
 */
export function requestedTimeoutMs(ctx: Context, maxTimeoutMs: number): number | undefined {
  const timeout = queryParameter(ctx, 'timeout');
  if (timeout !== undefined) return clampTimeoutMs(timeout, maxTimeoutMs);
  const seconds = preferredWaitSeconds(ctx.get('Prefer'));
  if (seconds === undefined) return undefined;
  const timeoutMs = Math.min(seconds * 1000, maxTimeoutMs);
  ctx.set('Preference-Applied', `wait=${Math.floor(timeoutMs / 1000)}`);
  return timeoutMs;
}

function clampTimeoutMs(timeout: string | string[], maxTimeoutMs: number): number {
  if (typeof timeout !== 'string' || !MILLISECONDS.test(timeout)) {
    throw new ServiceError('bad_timeout', 'timeout is a number of milliseconds in decimal digits, given once.');
  }
  return Math.min(Number(timeout), maxTimeoutMs);
}
