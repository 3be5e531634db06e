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

test('added files are announced within a second', () => {
  announcer.added(2);
  announcer.added(1);
  jest.advanceTimersByTime(1000);
  expect(region.textContent).toBe('3 files added.');
});

test('finished uploads are announced at most every 8 seconds, many in one sentence', () => {
  const said: string[] = [];
  for (let tenth = 0; tenth < 200; tenth += 1) {
    announcer.done(`${tenth}.jpg`, false);
    jest.advanceTimersByTime(100);
    if (region.textContent !== said.at(-1)) said.push(region.textContent);
  }
  // After 1, 9 and 17 seconds. The last two texts are equal.
  expect(said.filter((sentence) => sentence !== '')).toEqual(['10 files are done.', '80 files are done.']);
});

test('the remaining messages are announced within a second after the last upload ends', () => {
  announcer.done('a.jpg', false);
  jest.advanceTimersByTime(1000);
  expect(region.textContent).toBe('a.jpg is done.');
  announcer.done('b.jpg', false);
  announcer.failed('c.jpg', 'It is damaged.');
  announcer.settled();
  jest.advanceTimersByTime(1000);
  expect(region.textContent).toBe('b.jpg is done. c.jpg: It is damaged.');
  announcer.settled();
  jest.advanceTimersByTime(20_000);
  expect(region.textContent).toBe('b.jpg is done. c.jpg: It is damaged.');
});

test('an upload whose result has notes is announced with that fact', () => {
  announcer.done('rows.csv', true);
  jest.advanceTimersByTime(1000);
  expect(region.textContent).toBe('rows.csv is done, with notes on its result.');
});

test('the remaining time is estimated from the progress so far', () => {
  const remaining = new RemainingTime();
  expect(remaining.estimate({ total: 10, percent: 10, isBusy: true }, 1000)).toBeNull();
  expect(remaining.estimate({ total: 10, percent: 11, isBusy: true }, 6000)).toBeNull();
  expect(remaining.estimate({ total: 10, percent: 20, isBusy: true }, 11_000)).toBe(80_000);
  // More files or the end of the uploads start a new measurement.
  expect(remaining.estimate({ total: 20, percent: 10, isBusy: true }, 12_000)).toBeNull();
  expect(remaining.estimate({ total: 20, percent: 60, isBusy: false }, 20_000)).toBeNull();
  expect(remaining.estimate({ total: 20, percent: 60, isBusy: true }, 21_000)).toBeNull();
});
