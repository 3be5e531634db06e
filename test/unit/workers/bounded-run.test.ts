import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { runBounded, type RunBounds } from '../../../workers/bounded-run.ts';
import { STOPPING, SUPERSEDED, TIMED_OUT } from '../../../workers/stop-reasons.ts';

const TIMEOUT_MS = 1_000;
const ABORT_GRACE_MS = 300;

let bounds: RunBounds;
let stopping: AbortController;
let unresponsive: number;

beforeEach(() => {
  jest.useFakeTimers();
  stopping = new AbortController();
  unresponsive = 0;
  bounds = {
    controller: new AbortController(),
    timeoutMs: TIMEOUT_MS,
    abortGraceMs: ABORT_GRACE_MS,
    stopping: stopping.signal,
    onUnresponsive: () => (unresponsive += 1),
  };
});
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

/** A run that rejects as soon as its signal fires. */
async function obedient(): Promise<never> {
  return await new Promise((_, reject) =>
    bounds.controller.signal.addEventListener('abort', () => reject(new Error('stopped'))),
  );
}

async function hang(): Promise<never> {
  return await new Promise(() => undefined);
}

/** Resolves with the outcome of a run. */
async function endOf(run: () => Promise<unknown>): Promise<unknown> {
  return await runBounded(run, bounds).catch((error: unknown) => error);
}

test('a run that ends in time is not aborted', async () => {
  expect(await runBounded(async () => await Promise.resolve(7), bounds)).toBe(7);
  expect(await endOf(async () => await Promise.reject<never>(SUPERSEDED))).toBe(SUPERSEDED);
  expect([bounds.controller.signal.aborted, unresponsive]).toEqual([false, 0]);
});

test('a run that takes too long is aborted, and its end is awaited', async () => {
  const end = endOf(obedient);
  await jest.advanceTimersByTimeAsync(TIMEOUT_MS);
  expect(await end).toEqual(new Error('stopped'));
  expect([bounds.controller.signal.reason, unresponsive]).toEqual([TIMED_OUT, 0]);
});

test('a run that does not stop after the abort is unresponsive', async () => {
  const end = endOf(hang);
  await jest.advanceTimersByTimeAsync(TIMEOUT_MS + ABORT_GRACE_MS - 1);
  expect(unresponsive).toBe(0);
  await jest.advanceTimersByTimeAsync(1);
  expect([await end, unresponsive]).toEqual([TIMED_OUT, 1]);
});

test.each([
  [TIMEOUT_MS, TIMEOUT_MS + ABORT_GRACE_MS],
  [600_000, 60_000],
])('a cancelled run may continue until its time limit, or for a minute (limit %i)', async (timeoutMs, leftAfterMs) => {
  bounds.timeoutMs = timeoutMs;
  const end = endOf(hang);
  bounds.controller.abort(SUPERSEDED);
  await jest.advanceTimersByTimeAsync(leftAfterMs - 1);
  expect(unresponsive).toBe(0);
  await jest.advanceTimersByTimeAsync(1);
  expect([await end, unresponsive]).toEqual([SUPERSEDED, 1]);
});

test('a run that does not stop at shutdown is soon unresponsive', async () => {
  const end = endOf(hang);
  stopping.abort();
  expect(bounds.controller.signal.reason).toBe(STOPPING);
  await jest.advanceTimersByTimeAsync(1_500);
  expect([await end, unresponsive]).toEqual([STOPPING, 1]);
});

test.each([
  ['cancelled', SUPERSEDED],
  ['requeued', STOPPING],
])('a run does not begin if it was %s before', async (_what, reason) => {
  const run = jest.fn(obedient);
  if (reason === STOPPING) stopping.abort();
  else bounds.controller.abort(reason);
  expect([await endOf(run), run.mock.calls.length, unresponsive]).toEqual([reason, 0, 0]);
});
