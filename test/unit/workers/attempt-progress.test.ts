import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ChangeOutcome } from '../../../src/record/record-change.ts';
import { AttemptProgress, type Advance } from '../../../workers/attempt-progress.ts';
import { silentLog } from '../../helpers/record-space.ts';

const APPLIED: ChangeOutcome = { applied: true, version: 2, record: undefined };
const FENCED: ChangeOutcome = { applied: false, rejection: 'fenced', record: undefined };

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function build(advance: Advance = async () => APPLIED) {
  const written = jest.fn(advance);
  const onRefused = jest.fn();
  const progress = new AttemptProgress(written, onRefused, silentLog);
  return { progress, onRefused, written, calls: () => written.mock.calls };
}

describe('the reports of an attempt', () => {
  test('the first and every change of stage are written at once, with a sequence that grows', async () => {
    const { progress, calls } = build();
    progress.report({ stage: 'decode', fraction: 0 });
    await jest.advanceTimersByTimeAsync(0);
    progress.report({ stage: 'variants', fraction: 0.1 });
    await jest.advanceTimersByTimeAsync(0);
    expect(calls()).toEqual([
      [1, 'decode', 0],
      [2, 'variants', 0.1],
    ]);
    await progress.close();
  });

  test('do not begin with what the record says by itself', async () => {
    const { progress, calls } = build();
    progress.report({ stage: 'inspect', fraction: 0 });
    progress.report({ stage: 'inspect', fraction: 0.1 });
    await progress.close();
    expect(calls()).toEqual([[1, 'inspect', 0.1]]);
  });

  test('of many within a stage one is written in 100 ms, and the last one always', async () => {
    const { progress, calls } = build();
    for (let step = 0; step <= 100; step++) {
      progress.report({ stage: 'decode', fraction: step / 100 });
      await jest.advanceTimersByTimeAsync(5);
    }
    await progress.close();
    expect(calls().length).toBeLessThanOrEqual(7);
    expect(calls().at(-1)?.slice(1)).toEqual(['decode', 1]);
    expect(calls().map(([sequence]) => sequence)).toEqual(calls().map((_, index) => index + 1));
  });

  test('are written one after the other, and while one takes long only the newest is kept', async () => {
    let open = 0;
    let most = 0;
    const { progress, calls } = build(async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 500));
      open -= 1;
      return APPLIED;
    });
    for (const stage of ['a', 'b', 'c']) progress.report({ stage, fraction: 0 });
    const closing = progress.close();
    await jest.advanceTimersByTimeAsync(5000);
    await closing;
    expect([most, calls().map(([, stage]) => stage)]).toEqual([1, ['a', 'c']]);
  });

  test('close writes what still waits, and lets nothing follow', async () => {
    const { progress, calls } = build();
    progress.report({ stage: 'a', fraction: 0 });
    progress.report({ stage: 'a', fraction: 0.5 });
    await progress.close();
    progress.report({ stage: 'b', fraction: 1 });
    await jest.advanceTimersByTimeAsync(1000);
    expect(calls()).toEqual([
      [1, 'a', 0],
      [2, 'a', 0.5],
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('a report that is refused', () => {
  test('says that the attempt was overtaken', async () => {
    const { progress, onRefused } = build(async () => FENCED);
    progress.report({ stage: 'a', fraction: 0 });
    await jest.advanceTimersByTimeAsync(0);
    expect(onRefused).toHaveBeenCalledTimes(1);
    await progress.close();
  });
});

describe('a report that fails', () => {
  test('costs nothing but itself', async () => {
    let calls = 0;
    const { progress, onRefused, written } = build(async () =>
      ++calls === 1 ? await Promise.reject<ChangeOutcome>(new Error('Redis is away')) : APPLIED,
    );
    progress.report({ stage: 'a', fraction: 0 });
    progress.report({ stage: 'b', fraction: 0.5 });
    await progress.close();
    expect([written.mock.calls.length, onRefused.mock.calls.length]).toEqual([2, 0]);
  });
});
