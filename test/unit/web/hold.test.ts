import { expect, test } from '@jest/globals';
import { Hold } from '../../../src/web/client/hold.ts';

test('is halved with each cut, down to plain polls', () => {
  const hold = new Hold(25_000);
  const asked = [1, 2, 3, 4, 5].map(() => {
    const ms = hold.ms(0);
    hold.cut(10_000, 0);
    return ms;
  });
  expect(asked).toEqual([25_000, 12_500, 6250, 3125, 0]);
  expect(hold.ms(0)).toBe(0);
});

test('a network that is gone at once cuts nothing', () => {
  const hold = new Hold(25_000);
  hold.cut(40, 0);
  expect(hold.ms(0)).toBe(25_000);
});

test('tries the whole time again after five minutes', () => {
  const hold = new Hold(25_000);
  hold.cut(5000, 1000);
  expect(hold.ms(300_999)).toBe(12_500);
  expect(hold.ms(301_000)).toBe(25_000);
});
