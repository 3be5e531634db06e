import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Announcer } from '../../../src/page/announcer.ts';
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
