import { expect, test } from '@jest/globals';
import { Hold } from '../../../src/client/hold.ts';

test('is halved each time, down to plain polls', () => {
  const hold = new Hold(25_000);
  const asked = [1, 2, 3, 4, 5].map(() => {
    const ms = hold.ms(0);
    hold.shorten(0);
    return ms;
  });
  expect(asked).toEqual([25_000, 12_500, 6250, 3125, 0]);
  expect(hold.ms(0)).toBe(0);
});

test('tries the whole time again after five minutes', () => {
  const hold = new Hold(25_000);
  hold.shorten(1000);
  expect(hold.ms(300_999)).toBe(12_500);
  expect(hold.ms(301_000)).toBe(25_000);
});
