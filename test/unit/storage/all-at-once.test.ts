import { describe, expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { allAtOnce } from '../../../src/storage/all-at-once.ts';

describe('work on many items', () => {
  const items = Array.from({ length: 20 }, (_, index) => index);
  let running = 0;
  let most = 0;

  /** Runs one piece of work and records how many run at the same time. */
  async function working<T>(outcome: () => T): Promise<T> {
    most = Math.max(most, (running += 1));
    await setImmediate();
    running -= 1;
    return outcome();
  }

  test('runs up to the limit at once, and once for each item', async () => {
    most = 0;
    const done: number[] = [];
    expect(await allAtOnce(items, 3, (item) => working(() => done.push(item) > 0))).toBe(true);
    expect([most, done.sort((a, b) => a - b)]).toEqual([3, items]);
  });

  test('begins no further item after one was not possible, and resolves when no work runs', async () => {
    const begun: number[] = [];
    const outcome = await allAtOnce(items, 3, (item) => {
      begun.push(item);
      return working(() => item !== 1);
    });
    expect([outcome, running, begun]).toEqual([false, 0, [0, 1, 2, 3]]);
  });

  test('rejects with the first error when no work runs', async () => {
    const work = (item: number) =>
      working<boolean>(() => {
        throw new Error(`item ${item}`);
      });
    await expect(allAtOnce(items, 3, work)).rejects.toThrow('item 0');
    expect(running).toBe(0);
  });
});
