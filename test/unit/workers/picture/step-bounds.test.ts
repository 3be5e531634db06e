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

/** Makes a call of libvips that the test ends. */
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

describe('bounded call of libvips', () => {
  test('returns its value if it ends in time, and abandons nothing', async () => {
    const { controller, abandoned, bounds } = boundsWith();
    expect(await bounds.wait(async () => 'made')).toBe('made');
    expect(await bounds.wait(async () => undefined)).toBeUndefined();
    expect([abandoned.count, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
  });

  test('rejects with the error of the call', async () => {
    const error = new Error('VipsJpeg: premature end of JPEG image');
    await expect(boundsWith().bounds.wait(async () => await Promise.reject(error))).rejects.toBe(error);
  });

  test('is given the number of whole seconds that are left for the step', async () => {
    let given = 0;
    let nowMs = 0;
    const { bounds } = boundsWith(4200, 5, { nowMs: () => nowMs, slowness: 1 });
    nowMs = 1100;
    await bounds.wait(async (maxSeconds) => void (given = maxSeconds));
    expect(given).toBe(4);
  });

  test('is awaited until the time is up by the charging clock', async () => {
    let isUp = false;
    const clock = { nowMs: () => (isUp ? 1000 : 0), slowness: 4 };
    let given = 0;
    const { bounds } = boundsWith(5, 5, clock);
    const call = openCall();
    const waiting = bounds.wait(async (maxSeconds) => {
      given = maxSeconds;
      return await call.promise;
    });
    setTimeout(() => call.end(), 50);
    expect(await waiting).toBe('made');
    isUp = true;
    await expect(bounds.wait(async () => 'never begun')).rejects.toMatchObject({ code: 'picture_timeout' });
    expect(given).toBe(1);
  });

  test('rejects with picture_timeout and a plain detail if libvips reports a timeout', async () => {
    const error: unknown = await boundsWith()
      .bounds.wait(async () => await Promise.reject(new Error('timeout: 15% complete')))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({ code: 'picture_timeout', detail: 'Too slow. Send less.' });
  });

  test('is awaited no longer than the step may take, even if it never checks the time', async () => {
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

  test('is not awaited after a cancel, and its later failure is ignored', async () => {
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

  test('is not abandoned if it ends soon after a cancel', async () => {
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
