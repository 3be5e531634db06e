import { describe, expect, test } from '@jest/globals';
import { inSlices } from '../../../src/page/in-slices.ts';

describe('work in slices', () => {
  test('pauses as soon as a slice has taken more than 8 ms, and keeps the order', async () => {
    let nowMs = 0;
    let pauses = 0;
    const sizes: number[] = [];
    const taken: number[] = [];
    const parts = {
      nowMs: () => nowMs,
      pause: async () => {
        pauses += 1;
        sizes.push(taken.length);
      },
    };
    const items = Array.from({ length: 12 }, (_, index) => index);
    await inSlices(
      items,
      (item) => {
        taken.push(item);
        nowMs += 2;
      },
      parts,
    );
    expect(taken).toEqual(items);
    expect([pauses, sizes]).toEqual([2, [5, 10]]);
  });

  test('starts before it returns', () => {
    const taken: string[] = [];
    void inSlices(['a file'], (item) => taken.push(item));
    expect(taken).toEqual(['a file']);
  });
});
