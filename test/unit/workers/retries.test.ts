import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { PermitData } from '../../../src/queue/contract.ts';
import { Retries, retryPauseMs } from '../../../workers/retries.ts';
import { silentLog } from '../../helpers/record-space.ts';

let added: [string, PermitData | undefined][];
let isAway: boolean;
let retries: Retries;

beforeEach(() => {
  jest.useFakeTimers();
  [added, isAway] = [[], false];
  const add = async (kind: string, data?: PermitData): Promise<void> => {
    if (isAway) throw new Error('away');
    added.push([kind, data]);
  };
  retries = new Retries({ queue: { add }, log: silentLog });
});
afterEach(() => {
  retries.close();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('a retry', () => {
  test('adds the permit when the pause is over, and not before', async () => {
    retries.later('picture', { permit: '7' }, 1000);
    await jest.advanceTimersByTimeAsync(999);
    expect(added).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(added).toEqual([['picture', { permit: '7' }]]);
  });

  test('leaves the permit to the janitor if Redis is away', async () => {
    isAway = true;
    retries.later('picture', {}, 1000);
    await jest.advanceTimersByTimeAsync(1000);
    expect(added).toEqual([]);
  });

  test('adds no permit after close', async () => {
    retries.later('picture', {}, 1000);
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
