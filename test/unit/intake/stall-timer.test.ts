import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { answerExpectations, sendContinue } from '../../../src/http/expect-continue.ts';
import { watchForStall } from '../../../src/intake/stall-timer.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function watch(timeoutMs = 1000) {
  const state = {
    socket: { bytesRead: 0 },
    readableFlowing: true as boolean | null,
    readableLength: 0,
    complete: false,
  };
  const onStall = jest.fn();
  const release = watchForStall(state as unknown as IncomingMessage, timeoutMs, onStall);
  return { state, onStall, release };
}

describe('the stall timer', () => {
  test('reports a sender without bytes once', () => {
    const { onStall } = watch();
    jest.advanceTimersByTime(999);
    expect(onStall).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(onStall).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(10_000);
    expect(onStall).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('never reports a sender that sends a byte now and then', () => {
    const { state, onStall, release } = watch();
    for (let round = 0; round < 100; round++) {
      jest.advanceTimersByTime(740);
      state.socket.bytesRead += 1;
    }
    expect(onStall).not.toHaveBeenCalled();
    release();
  });

  test('does not count the time in which received bytes wait for this process', () => {
    const { state, onStall } = watch();
    state.readableLength = 5;
    jest.advanceTimersByTime(60_000);
    expect(onStall).not.toHaveBeenCalled();
    state.readableLength = 0;
    jest.advanceTimersByTime(1000);
    expect(onStall).not.toHaveBeenCalled();
    jest.advanceTimersByTime(250);
    expect(onStall).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['before the first read', null],
    ['while nothing is read because the storage is slow', false],
  ])('does not count silence %s', (_when, flowing) => {
    const { state, onStall } = watch();
    state.readableFlowing = flowing;
    jest.advanceTimersByTime(60_000);
    expect(onStall).not.toHaveBeenCalled();
    state.readableFlowing = true;
    jest.advanceTimersByTime(1249);
    expect(onStall).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(onStall).toHaveBeenCalledTimes(1);
  });

  test('does not count the time that storing a complete body takes', () => {
    const { state, onStall, release } = watch();
    state.socket.bytesRead = 1000;
    state.complete = true;
    jest.advanceTimersByTime(60_000);
    expect(onStall).not.toHaveBeenCalled();
    release();
  });

  test('does not count the time before a sender gets its 100 Continue', () => {
    const { state, onStall } = watch();
    const request = state as unknown as IncomingMessage;
    const server = new EventEmitter();
    answerExpectations(server as Server, () => undefined);
    server.emit('checkContinue', request, { writeContinue: () => undefined });
    jest.advanceTimersByTime(60_000);
    expect(onStall).not.toHaveBeenCalled();
    sendContinue(request);
    jest.advanceTimersByTime(1250);
    expect(onStall).toHaveBeenCalledTimes(1);
  });

  test('reports nothing after the release', () => {
    const { onStall, release } = watch();
    release();
    release();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(10_000);
    expect(onStall).not.toHaveBeenCalled();
  });
});
