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

describe('a sender', () => {
  test('that gives nothing for the time is called stalled, once', () => {
    const { onStall } = watch();
    jest.advanceTimersByTime(999);
    expect(onStall).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(onStall).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(10_000);
    expect(onStall).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('that gives a byte now and then never is, however long it takes', () => {
    const { state, onStall, release } = watch();
    for (let round = 0; round < 100; round++) {
      jest.advanceTimersByTime(740);
      state.socket.bytesRead += 1;
    }
    expect(onStall).not.toHaveBeenCalled();
    release();
  });

  test('is not blamed for the time in which its bytes wait for us', () => {
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
    ['before we begin to read', null],
    ['while we do not read because the storage is slow', false],
  ])('is not blamed for silence %s', (_when, flowing) => {
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

  test('whose whole body has come is not blamed for the time that storing it takes', () => {
    const { state, onStall, release } = watch();
    state.socket.bytesRead = 1000;
    state.complete = true;
    jest.advanceTimersByTime(60_000);
    expect(onStall).not.toHaveBeenCalled();
    release();
  });

  test('that was not told to go on yet is not blamed for waiting', () => {
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

  test('is watched no more after the release', () => {
    const { onStall, release } = watch();
    release();
    release();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(10_000);
    expect(onStall).not.toHaveBeenCalled();
  });
});
