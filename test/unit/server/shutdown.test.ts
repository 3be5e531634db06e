import '../../helpers/one-realm.ts';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { closeOnSignal, exitWithLine } from '../../../src/server/shutdown.ts';
import { silentLog } from '../../helpers/record-space.ts';

const handlers = new Map<string | symbol, () => void>();
const exits: unknown[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  handlers.clear();
  exits.length = 0;
  jest.spyOn(process, 'on').mockImplementation((event, handler) => {
    handlers.set(event, handler as () => void);
    return process;
  });
  // The fake exit ends nothing, so the code after an exit must do no harm.
  jest.spyOn(process, 'exit').mockImplementation((code) => void exits.push(code) as never);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

function build(close: () => Promise<void>) {
  const closing = jest.fn(close);
  closeOnSignal(silentLog, 5000, closing);
  return { closing, raise: (event: string) => handlers.get(event)?.() };
}

describe('shutdown', () => {
  test.each(['SIGINT', 'SIGTERM', 'disconnect'])('closes on %s and exits with 0', async (event) => {
    const { closing, raise } = build(async () => undefined);
    raise(event);
    await jest.advanceTimersByTimeAsync(0);
    expect([closing.mock.calls.length, exits]).toEqual([1, [0]]);
  });

  test('counts two signals within a second as one', async () => {
    const { closing, raise } = build(() => new Promise(() => undefined));
    raise('SIGINT');
    await jest.advanceTimersByTimeAsync(900);
    raise('SIGINT');
    raise('SIGTERM');
    expect([closing.mock.calls.length, exits]).toEqual([1, []]);
  });

  test('exits with 1 at a second signal more than a second later', async () => {
    const { closing, raise } = build(() => new Promise(() => undefined));
    raise('SIGINT');
    await jest.advanceTimersByTimeAsync(1100);
    raise('SIGINT');
    expect([closing.mock.calls.length, exits]).toEqual([1, [1]]);
  });

  test('continues if the supervisor disconnects in the meantime', async () => {
    const { raise } = build(() => new Promise(() => undefined));
    raise('SIGTERM');
    await jest.advanceTimersByTimeAsync(2000);
    raise('disconnect');
    expect(exits).toEqual([]);
  });

  test('calls the given end function if closing takes too long', async () => {
    const end = jest.fn();
    closeOnSignal(silentLog, 5000, () => new Promise(() => undefined), end);
    handlers.get('SIGTERM')?.();
    await jest.advanceTimersByTimeAsync(5000);
    expect([end.mock.calls, exits]).toEqual([[[1]], []]);
  });

  test('exits with 1 if closing takes too long or fails', async () => {
    const slow = build(() => new Promise(() => undefined));
    slow.raise('SIGTERM');
    await jest.advanceTimersByTimeAsync(4999);
    expect(exits).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(exits).toEqual([1]);
    const failing = build(async () => await Promise.reject(new Error('stuck')));
    failing.raise('SIGTERM');
    await jest.advanceTimersByTimeAsync(0);
    expect(exits).toEqual([1, 1]);
  });
});

describe('failed start', () => {
  test.each([
    [new Error('PORT is taken'), 'PORT is taken'],
    ['plain words', 'plain words'],
  ])('prints one line and exits with the code', (error, words) => {
    const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    exitWithLine(error, 78);
    expect([written.mock.calls.map(([text]) => text), exits]).toEqual([[`deferred-uploads: ${words}\n`], [78]]);
  });
});
