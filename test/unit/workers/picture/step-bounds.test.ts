import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { PASSED_TIME } from '../../../../workers/charged-time.ts';
import { AbandonedCalls, StepBounds } from '../../../../workers/picture/step-bounds.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';

const LONG_MS = 600_000;

interface Call {
  promise: Promise<string>;
  end(): void;
  fail(error: Error): void;
}

/** A call of the library that ends when the test says so. */
function openCall(): Call {
  let end = () => {};
  let fail: (error: Error) => void = () => {};
  const promise = new Promise<string>((resolve, reject) => {
    end = () => resolve('made');
    fail = reject;
  });
  return { promise, end, fail };
}

function boundsWith(limitMs = LONG_MS, graceMs = 5, clock = PASSED_TIME) {
  const controller = new AbortController();
  const abandoned = new AbandonedCalls();
  return {
    controller,
    abandoned,
    bounds: new StepBounds({
      signal: controller.signal,
      limitMs,
      clock,
      graceMs,
      abandoned,
      tooSlow: 'Too slow. Send less.',
    }),
  };
}

describe('a call of the library', () => {
  test('that ends in time gives what it made, and leaves nothing behind', async () => {
    const { controller, abandoned, bounds } = boundsWith();
    expect(await bounds.wait(async () => 'made')).toBe('made');
    expect(await bounds.wait(async () => undefined)).toBeUndefined();
    expect([abandoned.count, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
  });

  test('that fails fails as it does', async () => {
    const error = new Error('VipsJpeg: premature end of JPEG image');
    await expect(boundsWith().bounds.wait(async () => await Promise.reject(error))).rejects.toBe(error);
  });

  test('is told the whole seconds that are left of the step', async () => {
    let told = 0;
    let nowMs = 0;
    const { bounds } = boundsWith(4200, 5, { nowMs: () => nowMs, slowness: 1 });
    nowMs = 1100;
    await bounds.wait(async (maxSeconds) => void (told = maxSeconds));
    expect(told).toBe(4);
  });

  test('is waited for until its time is up by the clock that charges it', async () => {
    let isUp = false;
    const clock = { nowMs: () => (isUp ? 1000 : 0), slowness: 4 };
    let told = 0;
    const { bounds } = boundsWith(5, 5, clock);
    const call = openCall();
    const waiting = bounds.wait(async (maxSeconds) => {
      told = maxSeconds;
      return await call.promise;
    });
    setTimeout(() => call.end(), 50);
    expect(await waiting).toBe('made');
    isUp = true;
    await expect(bounds.wait(async () => 'never begun')).rejects.toMatchObject({ code: 'picture_timeout' });
    expect(told).toBe(1);
  });

  test('that says itself that its time is up is too slow, in words for people', async () => {
    const error: unknown = await boundsWith()
      .bounds.wait(async () => await Promise.reject(new Error('timeout: 15% complete')))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({ code: 'picture_timeout', detail: 'Too slow. Send less.' });
  });

  test('that does not look at the clock is waited for no longer than the step may take', async () => {
    let nowMs = 0;
    const { abandoned, bounds } = boundsWith(5, 5, { nowMs: () => nowMs, slowness: 1 });
    const call = openCall();
    const begin = async (): Promise<string> => {
      nowMs = 5;
      return await call.promise;
    };
    await expect(bounds.wait(begin)).rejects.toMatchObject({ code: 'picture_timeout' });
    expect(abandoned.count).toBe(1);
    await expect(bounds.wait(async () => 'never begun')).rejects.toMatchObject({ code: 'picture_timeout' });
    call.end();
    await abandoned.settled();
    expect(abandoned.count).toBe(0);
  });

  test('is waited for no more when the upload is cancelled, and its late failure disturbs nobody', async () => {
    const { controller, abandoned, bounds } = boundsWith();
    const call = openCall();
    const waiting = bounds.wait(() => call.promise);
    const reason = new Error('cancelled');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect([abandoned.count, getEventListeners(controller.signal, 'abort').length]).toEqual([1, 0]);
    await expect(bounds.wait(async () => 'never begun')).rejects.toBe(reason);
    call.fail(new Error('late'));
    await abandoned.settled();
    expect(abandoned.count).toBe(0);
  });

  test('that ends soon after the upload was cancelled leaves nothing behind', async () => {
    const { controller, abandoned, bounds } = boundsWith(LONG_MS, LONG_MS);
    const call = openCall();
    const waiting = bounds.wait(() => call.promise);
    const reason = new Error('cancelled');
    controller.abort(reason);
    setImmediate(() => call.end());
    await expect(waiting).rejects.toBe(reason);
    expect([abandoned.count, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
  });
});
