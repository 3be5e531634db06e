import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ChangeOutcome, Rejection } from '../../../src/record/change-outcome.ts';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import { ReceiveProgress, rejectionToError, type ReportReceived } from '../../../src/intake/receive-progress.ts';
import { silentLog } from '../../helpers/record-space.ts';

const APPLIED: ChangeOutcome = { applied: true, version: 2, record: undefined };
const refused = (rejection: Rejection): ChangeOutcome => ({ applied: false, rejection, record: undefined });

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function build(answer: ReportReceived = async () => APPLIED) {
  const report = jest.fn(answer);
  const progress = new ReceiveProgress(report, silentLog);
  return { report, progress, reported: () => report.mock.calls.map(([bytes]) => bytes) };
}

describe('reports of received bytes', () => {
  test('are not sent for a file that is complete at once', async () => {
    const { progress, report } = build();
    progress.received(10);
    await progress.close();
    await jest.advanceTimersByTimeAsync(10_000);
    expect([report.mock.calls.length, progress.receivedBytes, jest.getTimerCount()]).toEqual([0, 10, 0]);
  });

  test('are sent at most every 150 ms, and always for the last bytes before a pause', async () => {
    const { progress, reported } = build();
    for (let chunk = 0; chunk < 100; chunk++) {
      progress.received(1);
      await jest.advanceTimersByTimeAsync(10);
    }
    await jest.advanceTimersByTimeAsync(1000);
    expect(reported().length).toBeLessThanOrEqual(8);
    expect(reported().at(-1)).toBe(100);
    expect(reported()).toEqual(reported().toSorted((a, b) => a - b));
    await progress.close();
  });

  test('are sent one at a time', async () => {
    let open = 0;
    let most = 0;
    const { progress, reported } = build(async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      open -= 1;
      return APPLIED;
    });
    for (let chunk = 0; chunk < 30; chunk++) {
      progress.received(1);
      await jest.advanceTimersByTimeAsync(100);
    }
    await jest.advanceTimersByTimeAsync(5000);
    expect([most, reported().at(-1)]).toEqual([1, 30]);
    await progress.close();
  });

  test('end with close, which waits for a running report', async () => {
    let answer: (outcome: ChangeOutcome) => void = () => undefined;
    const { progress, report } = build(() => new Promise((resolve) => (answer = resolve)));
    progress.received(1);
    await jest.advanceTimersByTimeAsync(60);
    progress.received(1);
    let isClosed = false;
    const closing = progress.close().then(() => (isClosed = true));
    await jest.advanceTimersByTimeAsync(1000);
    expect([isClosed, report.mock.calls.length]).toEqual([false, 1]);
    answer(APPLIED);
    await closing;
    await jest.advanceTimersByTimeAsync(1000);
    expect([report.mock.calls.length, jest.getTimerCount()]).toEqual([1, 0]);
  });

  test('may fail without an effect on the next ones', async () => {
    const { progress, report } = build(async () => await Promise.reject(new Error('Redis is away')));
    progress.received(1);
    await jest.advanceTimersByTimeAsync(200);
    progress.received(1);
    await jest.advanceTimersByTimeAsync(200);
    expect([report.mock.calls.length, progress.receivedBytes]).toEqual([2, 2]);
    await progress.close();
  });
});

describe('a rejection by the record', () => {
  test.each([
    ['fenced', 'upload_superseded'],
    ['state', 'upload_superseded'],
    ['final', 'upload_cancelled'],
    ['deleted', 'upload_cancelled'],
  ] as const)('as %s makes the next chunk throw %s', async (rejection, code) => {
    const { progress } = build(async () => refused(rejection));
    progress.received(1);
    await jest.advanceTimersByTimeAsync(60);
    expect(() => progress.received(1)).toThrow(expect.objectContaining({ code }));
    expect(progress.receivedBytes).toBe(1);
    await progress.close();
  });

  describe('that is reported at once', () => {
    let notice: () => void;
    let listening: number;
    beforeEach(() => {
      listening = 0;
    });
    const listen = (asked: () => void) => {
      notice = asked;
      listening += 1;
      notice();
      return () => (listening -= 1);
    };

    test('is read when another writer is noticed, even without a byte', async () => {
      let answer: ChangeOutcome = APPLIED;
      const { progress, report } = build(async () => answer);
      const codes: string[] = [];
      progress.watchForRejection(listen, ({ code }) => codes.push(code));
      await jest.advanceTimersByTimeAsync(60);
      expect([listening, report.mock.calls.length, codes]).toEqual([1, 1, []]);
      answer = refused('final');
      notice();
      await jest.advanceTimersByTimeAsync(200);
      notice();
      await jest.advanceTimersByTimeAsync(200);
      expect(codes).toEqual(['upload_cancelled']);
      await progress.close();
      expect([listening, jest.getTimerCount()]).toEqual([0, 0]);
    });

    test('is read when listening begins, because it may have come before', async () => {
      const { progress } = build(async () => refused('fenced'));
      const codes: string[] = [];
      progress.watchForRejection(listen, ({ code }) => codes.push(code));
      await jest.advanceTimersByTimeAsync(60);
      expect(codes).toEqual(['upload_superseded']);
      await progress.close();
    });

    test('is not listened for if the file is complete at once', async () => {
      const { progress, report } = build();
      progress.watchForRejection(listen, () => undefined);
      progress.received(10);
      await progress.close();
      await jest.advanceTimersByTimeAsync(1000);
      expect([listening, report.mock.calls.length, jest.getTimerCount()]).toEqual([0, 0, 0]);
    });
  });

  test('becomes an error with the status in the table', () => {
    const statusOf = (rejection: Rejection) =>
      rejectionToError({ applied: false, rejection, record: undefined }).status;
    expect([statusOf('fenced'), statusOf('final'), statusOf('missing')]).toEqual([409, 410, 503]);
  });

  test.each([
    ['cancelled', 'final', 'upload_cancelled', 'cancelled'],
    ['failed', 'final', 'upload_interrupted', 'failed'],
    ['discarded', 'final', 'upload_discarded', 'discarded'],
    ['receiving', 'fenced', 'upload_superseded', undefined],
  ] as const)(
    'of an upload that is %s names the cause, and the state if it is final',
    (state, rejection, code, finalState) => {
      const record = { id: 'u', state } as UploadRecord;
      expect(rejectionToError({ applied: false, rejection, record })).toMatchObject({
        code,
        id: 'u',
        state: finalState,
      });
    },
  );
});

test('the type is null until it is known', () => {
  const { progress } = build();
  expect(progress.type).toBeNull();
  progress.typed('image/png');
  expect(progress.type).toBe('image/png');
});
