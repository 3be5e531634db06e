import type { Context } from 'koa';
import { ServiceError } from '../errors.ts';
import { preferredWaitSeconds } from './prefer.ts';
import { queryParameter } from './parameters.ts';
import { timeoutSchema } from '../wire/base-schemas.ts';

/**
 * Returns for how long the client wants its answer held, at most `maxTimeoutMs`: `?timeout=<ms>`, otherwise
 * `Prefer: wait=<seconds>`, for which it sets `Preference-Applied`. Undefined if the client sent neither.
 * Throws `bad_timeout` (400) for a timeout that is not decimal digits or appears twice.
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
  const { success, data } = timeoutSchema.safeParse(timeout);
  if (!success) {
    throw new ServiceError('bad_timeout', '`timeout` must appear once and be a whole number of milliseconds.');
  }
  return Math.min(Number(data), maxTimeoutMs);
}
