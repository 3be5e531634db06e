import { expect, test } from '@jest/globals';
import { PollTimeout } from '../../../src/client/poll-timeout.ts';

test('the hold time is halved each time, down to 0', () => {
  const pollTimeout = new PollTimeout(25_000);
  const asked = [1, 2, 3, 4, 5].map(() => {
    const ms = pollTimeout.ms(0);
    pollTimeout.shorten(0);
    return ms;
  });
  expect(asked).toEqual([25_000, 12_500, 6250, 3125, 0]);
  expect(pollTimeout.ms(0)).toBe(0);
});

test('the full hold time is tried again after 5 minutes', () => {
  const pollTimeout = new PollTimeout(25_000);
  pollTimeout.shorten(1000);
  expect(pollTimeout.ms(300_999)).toBe(12_500);
  expect(pollTimeout.ms(301_000)).toBe(25_000);
});
