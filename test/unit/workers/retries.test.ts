import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Retries, retryPauseMs } from '../../../workers/retries.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { FakeRecords, ID, recordOf } from '../record/states.ts';

let records: FakeRecords;
let added: string[];
let retries: Retries;

beforeEach(() => {
  jest.useFakeTimers();
  records = new FakeRecords();
  added = [];
  retries = new Retries({ records, queue: { add: async (id) => void added.push(id) }, log: silentLog });
});
afterEach(() => {
  retries.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('a retry', () => {
  test('adds the job when the pause is over, and not before', async () => {
    records.set(recordOf({ state: 'queued', attempt: 3 }));
    retries.later(ID, 3, 1000);
    await jest.advanceTimersByTimeAsync(999);
    expect(added).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(added).toEqual([ID]);
  });

  test('adds no job if another attempt has begun', async () => {
    records.set(recordOf({ state: 'processing', attempt: 4 }));
    retries.later(ID, 3, 1000);
    await jest.advanceTimersByTimeAsync(1000);
    expect(added).toEqual([]);
  });

  test.each(['completed', 'failed', 'cancelled', 'discarded', 'receiving'] as const)(
    'adds no job if the upload is %s',
    async (state) => {
      records.set(recordOf({ state, attempt: 3 }));
      await retries.now(ID, 3);
      expect(added).toEqual([]);
    },
  );

  test('adds no job if the upload no longer exists, or Redis is away', async () => {
    await retries.now(ID);
    records.set(recordOf({ state: 'queued' }));
    records.fault = new Error('away');
    await retries.now(ID);
    expect(added).toEqual([]);
  });

  test('adds no job after close', async () => {
    records.set(recordOf({ state: 'queued', attempt: 3 }));
    retries.later(ID, 3, 1000);
    retries.close();
    await jest.advanceTimersByTimeAsync(2000);
    expect(added).toEqual([]);
  });
});

test('the pause before a retry doubles with each fault, with a jitter of half', () => {
  for (const faults of [1, 2, 3, 4]) {
    const pauseMs = retryPauseMs(faults);
    expect(pauseMs).toBeGreaterThanOrEqual(500 * 2 ** (faults - 1));
    expect(pauseMs).toBeLessThanOrEqual(1500 * 2 ** (faults - 1));
  }
});
