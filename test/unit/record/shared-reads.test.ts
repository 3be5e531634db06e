import { expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { SharedReads } from '../../../src/record/shared-reads.ts';

/** Makes reads that the test answers. */
function manualReads() {
  const steps: {
    ids: readonly string[];
    answer: (values: (string | undefined | Error)[]) => void;
    fail: (error: Error) => void;
  }[] = [];
  const reads = new SharedReads<string>(
    (ids) => new Promise((resolve, reject) => steps.push({ ids, answer: resolve, fail: reject })),
  );
  return { reads, steps };
}

test('reads the ids of one turn in one step, each once', async () => {
  const { reads, steps } = manualReads();
  const answers = Promise.all(['a', 'b', 'a', 'c', 'b'].map((id) => reads.read(id)));
  await turn();
  expect(steps.map(({ ids }) => ids)).toEqual([['a', 'b', 'c']]);
  steps[0]?.answer(['A', undefined, 'C']);
  expect(await answers).toEqual(['A', undefined, 'A', 'C', undefined]);
});

test('never shares a read that was sent before the call', async () => {
  const { reads, steps } = manualReads();
  const first = reads.read('a');
  await turn();
  const later = [reads.read('a'), reads.read('a')];
  await turn();
  expect(steps).toHaveLength(1);
  steps[0]?.answer(['old']);
  expect(await first).toBe('old');
  await turn();
  expect(steps).toHaveLength(2);
  steps[1]?.answer(['new']);
  expect(await Promise.all(later)).toEqual(['new', 'new']);
});

test('does not delay other ids while a read is under way', async () => {
  const { reads, steps } = manualReads();
  const slow = reads.read('a');
  await turn();
  const [again, other] = [reads.read('a'), reads.read('b')];
  await turn();
  expect(steps.map(({ ids }) => ids)).toEqual([['a'], ['b']]);
  steps[1]?.answer(['B']);
  expect(await other).toBe('B');
  steps[0]?.answer(['A']);
  await slow;
  await turn();
  steps[2]?.answer(['A2']);
  expect(await again).toBe('A2');
});

test('rejects only the id whose record is damaged', async () => {
  const { reads, steps } = manualReads();
  const answers = Promise.allSettled([reads.read('a'), reads.read('b')]);
  await turn();
  steps[0]?.answer([new Error('damaged'), 'B']);
  expect(await answers).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled', value: 'B' }]);
});

test('rejects all ids of a failed step, and reads them again at the next call', async () => {
  const { reads, steps } = manualReads();
  const answers = Promise.allSettled([reads.read('a'), reads.read('b')]);
  await turn();
  steps[0]?.fail(new Error('away'));
  expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = reads.read('a');
  await turn();
  steps[1]?.answer(['A']);
  expect(await again).toBe('A');
});
