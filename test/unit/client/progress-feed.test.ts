import { expect, test } from '@jest/globals';
import type { Progress } from '../../../src/wire/documents.ts';
import { ProgressFeed } from '../../../src/client/progress-feed.ts';
import { freshProgress } from './documents.ts';

function at(percent: number, version: number): Progress {
  return freshProgress('an id', { percent, version });
}

async function collect(feed: ProgressFeed): Promise<number[]> {
  const percents: number[] = [];
  for await (const { percent } of feed) percents.push(percent);
  return percents;
}

test('a reader receives the current progress first and ends with the feed', async () => {
  const feed = new ProgressFeed();
  feed.push(at(10, 1));
  const reading = collect(feed);
  await Promise.resolve();
  feed.push(at(20, 2));
  feed.end();
  expect(await reading).toEqual([10, 20]);
});

test('a slow reader skips to the newest progress', async () => {
  const feed = new ProgressFeed();
  const reader = feed[Symbol.asyncIterator]();
  for (const percent of [10, 20, 30]) feed.push(at(percent, percent));
  expect((await reader.next()).value).toMatchObject({ percent: 30 });
});

test('every reader receives the progress', async () => {
  const feed = new ProgressFeed();
  const both = [collect(feed), collect(feed)];
  feed.push(at(10, 1));
  feed.end();
  expect(await Promise.all(both)).toEqual([[10], [10]]);
});

test('the percent never goes down, and every other field is passed on', () => {
  const reported: Progress[] = [];
  const feed = new ProgressFeed((progress) => reported.push(progress));
  for (const [percent, version] of [
    [40, 8],
    [12, 3],
    [41, 4],
  ] as const)
    feed.push(at(percent, version));
  expect(reported.map(({ percent, version }) => [percent, version])).toEqual([
    [40, 8],
    [40, 3],
    [41, 4],
  ]);
});

test('the feed delivers nothing after its end', () => {
  const reported: Progress[] = [];
  const feed = new ProgressFeed((progress) => reported.push(progress));
  feed.end();
  feed.push(at(10, 1));
  expect(reported).toEqual([]);
  expect(feed.latest).toBeNull();
});
