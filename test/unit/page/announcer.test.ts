import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Announcer } from '../../../src/page/announcer.ts';
import { RemainingTime } from '../../../src/page/remaining-time.ts';
import { english } from '../../../src/page/words-english.ts';

const region = { textContent: '' };
let announcer: Announcer;

beforeEach(() => {
  jest.useFakeTimers();
  region.textContent = '';
  announcer = new Announcer(region as Element, english);
});
afterEach(() => {
  jest.useRealTimers();
});

test('says soon what was added', () => {
  announcer.added(2);
  announcer.added(1);
  jest.advanceTimersByTime(1000);
  expect(region.textContent).toBe('3 files added.');
});

test('says at most every eight seconds what ends by itself, many in one sentence', () => {
  const said: string[] = [];
  for (let tenth = 0; tenth < 200; tenth += 1) {
    announcer.done(`${tenth}.jpg`);
    jest.advanceTimersByTime(100);
    if (region.textContent !== said.at(-1)) said.push(region.textContent);
  }
  // After one, nine and seventeen seconds; the last two sound alike.
  expect(said.filter((sentence) => sentence !== '')).toEqual(['10 files are done.', '80 files are done.']);
});

test('says soon what is left when nothing goes on any more', () => {
  announcer.done('a.jpg');
  jest.advanceTimersByTime(1000);
  expect(region.textContent).toBe('a.jpg is done.');
  announcer.done('b.jpg');
  announcer.failed('c.jpg', 'It is damaged.');
  announcer.settled();
  jest.advanceTimersByTime(1000);
  expect(region.textContent).toBe('b.jpg is done. c.jpg: It is damaged.');
  announcer.settled();
  jest.advanceTimersByTime(20_000);
  expect(region.textContent).toBe('b.jpg is done. c.jpg: It is damaged.');
});

test('the time that is left follows from how fast it has gone', () => {
  const remaining = new RemainingTime();
  expect(remaining.estimate({ total: 10, percent: 10, isBusy: true }, 1000)).toBeNull();
  expect(remaining.estimate({ total: 10, percent: 11, isBusy: true }, 6000)).toBeNull();
  expect(remaining.estimate({ total: 10, percent: 20, isBusy: true }, 11_000)).toBe(80_000);
  // More of them begin a new measurement, and so does an end.
  expect(remaining.estimate({ total: 20, percent: 10, isBusy: true }, 12_000)).toBeNull();
  expect(remaining.estimate({ total: 20, percent: 60, isBusy: false }, 20_000)).toBeNull();
  expect(remaining.estimate({ total: 20, percent: 60, isBusy: true }, 21_000)).toBeNull();
});
