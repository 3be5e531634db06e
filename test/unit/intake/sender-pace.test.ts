import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { SenderPace } from '../../../src/intake/sender-pace.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const MIN_BYTES_PER_S = 1024;

function measure(contentLength?: number, minBytesPerS = MIN_BYTES_PER_S) {
  const state = {
    headers: contentLength === undefined ? {} : { 'content-length': String(contentLength) },
    socket: { bytesRead: 5000 },
    readableFlowing: true as boolean | null,
    readableLength: 0,
    complete: false,
  };
  const onTooSlow = jest.fn();
  const pace = new SenderPace(state as unknown as IncomingMessage, minBytesPerS, onTooSlow);
  const send = (seconds: number, bytesPerS: number) => {
    for (let second = 0; second < seconds; second += 1) {
      state.socket.bytesRead += bytesPerS;
      jest.advanceTimersByTime(1000);
    }
  };
  return { state, pace, onTooSlow, send };
}

describe('a sender below the minimum rate', () => {
  test('is too slow after a minute, and is reported once', () => {
    const { onTooSlow, send } = measure(1_000_000);
    send(59, 1000);
    expect(onTooSlow).not.toHaveBeenCalled();
    send(1, 1000);
    expect(onTooSlow).toHaveBeenCalledTimes(1);
    send(100, 0);
    expect(onTooSlow).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is too slow after any minute, not only the first', () => {
    const { onTooSlow, send } = measure(10_000_000);
    send(120, 2000);
    send(58, 10);
    expect(onTooSlow).toHaveBeenCalledTimes(1);
  });

  test('gets one more minute if it is nearly done, and no third one', () => {
    const { onTooSlow, send } = measure(10_000);
    send(119, 1);
    expect(onTooSlow).not.toHaveBeenCalled();
    send(1, 1);
    expect(onTooSlow).toHaveBeenCalledTimes(1);
  });

  test('is never reported if there is no minimum rate', () => {
    const { onTooSlow, send, pace } = measure(undefined, 0);
    send(600, 0);
    expect(onTooSlow).not.toHaveBeenCalled();
    pace.release();
  });
});

describe('a sender is not too slow', () => {
  test('at the minimum rate on average, in any bursts', () => {
    const { onTooSlow, send, pace } = measure();
    for (let burst = 0; burst < 10; burst += 1) {
      send(1, 60 * MIN_BYTES_PER_S);
      send(59, 0);
    }
    expect(onTooSlow).not.toHaveBeenCalled();
    pace.release();
  });

  test('while this process does not read', () => {
    const { state, onTooSlow, send, pace } = measure();
    state.readableFlowing = false;
    send(600, 0);
    expect([onTooSlow.mock.calls.length, pace.bytesPerS]).toEqual([0, undefined]);
    state.readableFlowing = true;
    send(60, 0);
    expect(onTooSlow).not.toHaveBeenCalled();
    send(1, 0);
    expect(onTooSlow).toHaveBeenCalledTimes(1);
  });

  test('while the machine is busy', () => {
    const { pace, onTooSlow } = measure();
    const clock = jest.spyOn(performance, 'now');
    for (let late = 1; late <= 100; late += 1) {
      clock.mockReturnValue(late * 2500);
      jest.advanceTimersByTime(1000);
    }
    clock.mockRestore();
    expect([onTooSlow.mock.calls.length, pace.bytesPerS]).toEqual([0, undefined]);
    pace.release();
  });
});

test('the rate is of the last minute', () => {
  const { pace, send } = measure();
  expect(pace.bytesPerS).toBeUndefined();
  send(1, 3000);
  expect(pace.bytesPerS).toBe(3000);
  send(1, 5000);
  expect(pace.bytesPerS).toBe(4000);
  send(60, 2000);
  expect(pace.bytesPerS).toBe(2000);
  pace.release();
});
