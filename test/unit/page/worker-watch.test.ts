import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { WorkerWatch } from '../../../src/page/worker-watch.ts';
import { freshProgress } from '../client/documents.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const QUEUED = [{ progress: freshProgress('id', { state: 'queued' }) }];
const DONE = [{ progress: freshProgress('id', { state: 'completed' }) }];

function build(counts: (number | undefined)[]) {
  const shown: boolean[] = [];
  const asked = jest.fn(async () => counts.shift());
  const watch = new WorkerWatch({ countWorkers: asked, show: (areNone) => shown.push(areNone) });
  return { watch, shown, asked };
}

test('the notice is shown while an upload is queued and no worker runs', async () => {
  const { watch, shown } = build([0, 0, 1]);
  watch.follow(QUEUED);
  await jest.advanceTimersByTimeAsync(15_000);
  expect(shown).toEqual([true, true, false]);
});

test('no request is sent while no upload is queued, and the notice is hidden then', async () => {
  const { watch, shown, asked } = build([0]);
  watch.follow(DONE);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(asked).not.toHaveBeenCalled();
  watch.follow(QUEUED);
  await jest.advanceTimersByTimeAsync(5_000);
  watch.follow(DONE);
  await jest.advanceTimersByTimeAsync(60_000);
  expect([shown, asked.mock.calls.length]).toEqual([[false, true, false], 1]);
});

test('the notice is hidden if the server does not report its workers', async () => {
  const { watch, shown } = build([undefined]);
  watch.follow(QUEUED);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(shown).toEqual([false]);
});
