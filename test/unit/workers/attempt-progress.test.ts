import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ChangeOutcome } from '../../../src/record/change-outcome.ts';
import type { StoredVariant } from '../../../src/record/record-fields.ts';
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

/** A pause that is longer than the time in which a new stage and a new file are gathered. */
const GATHERED_MS = 60;

function fileOf(name: string): StoredVariant {
  return { name, format: 'jpeg', size: 1, url: `/variants/public/${name}`, key: name, sha256: 'a' };
}

describe('the reports of an attempt', () => {
  test('are written soon for the first and every change of stage, with a growing sequence', async () => {
    const { progress, calls } = build();
    progress.report({ stage: 'decode', fraction: 0 });
    await jest.advanceTimersByTimeAsync(GATHERED_MS);
    progress.report({ stage: 'variants', fraction: 0.1 });
    await jest.advanceTimersByTimeAsync(GATHERED_MS);
    expect(calls()).toEqual([
      [1, 'decode', 0, []],
      [2, 'variants', 0.1, []],
    ]);
    await progress.close();
  });

  test('are one report if several stages and files follow in a short time', async () => {
    const { progress, calls } = build();
    progress.report({ stage: 'decode', fraction: 0 });
    progress.report({ stage: 'variants', fraction: 0.1 });
    progress.announce(fileOf('160'));
    progress.announce(fileOf('640'));
    await jest.advanceTimersByTimeAsync(GATHERED_MS);
    expect(calls()).toEqual([[1, 'variants', 0.1, [fileOf('160'), fileOf('640')]]]);
    expect(progress.files).toHaveLength(2);
    await progress.close();
  });

  test('are not written if the outcome comes first and has all of them', async () => {
    const { progress, calls } = build();
    progress.report({ stage: 'decode', fraction: 0 });
    progress.announce(fileOf('160'));
    progress.drop();
    await progress.close();
    expect([calls(), progress.files, jest.getTimerCount()]).toEqual([[], [fileOf('160')], 0]);
  });

  test('do not repeat the state that the record has at the beginning', async () => {
    const { progress, calls } = build();
    progress.report({ stage: 'inspect', fraction: 0 });
    progress.report({ stage: 'inspect', fraction: 0.1 });
    await progress.close();
    expect(calls()).toEqual([[1, 'inspect', 0.1, []]]);
  });

  test('within one stage are written once per 100 ms, and the last one always', async () => {
    const { progress, calls } = build();
    for (let step = 0; step <= 100; step++) {
      progress.report({ stage: 'decode', fraction: step / 100 });
      await jest.advanceTimersByTimeAsync(5);
    }
    await progress.close();
    expect(calls().length).toBeLessThanOrEqual(7);
    expect(calls().at(-1)?.slice(1)).toEqual(['decode', 1, []]);
    expect(calls().map(([sequence]) => sequence)).toEqual(calls().map((_, index) => index + 1));
  });

  test('are written one after the other, and only the newest is kept while one is being written', async () => {
    let open = 0;
    let most = 0;
    const { progress, calls } = build(async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 500));
      open -= 1;
      return APPLIED;
    });
    for (const stage of ['a', 'b', 'c']) {
      progress.report({ stage, fraction: 0 });
      await jest.advanceTimersByTimeAsync(GATHERED_MS);
    }
    const closing = progress.close();
    await jest.advanceTimersByTimeAsync(5000);
    await closing;
    expect([most, calls().map(([, stage]) => stage)]).toEqual([1, ['a', 'c']]);
  });

  test('end with close, which writes a waiting report and ignores later ones', async () => {
    const { progress, calls } = build();
    progress.report({ stage: 'a', fraction: 0 });
    await jest.advanceTimersByTimeAsync(GATHERED_MS);
    progress.report({ stage: 'a', fraction: 0.5 });
    await progress.close();
    progress.report({ stage: 'b', fraction: 1 });
    await jest.advanceTimersByTimeAsync(1000);
    expect(calls()).toEqual([
      [1, 'a', 0, []],
      [2, 'a', 0.5, []],
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('a rejected report', () => {
  test('calls back that the attempt was overtaken', async () => {
    const { progress, onRefused } = build(async () => FENCED);
    progress.report({ stage: 'a', fraction: 0 });
    await jest.advanceTimersByTimeAsync(GATHERED_MS);
    expect(onRefused).toHaveBeenCalledTimes(1);
    await progress.close();
  });
});

describe('a report that fails', () => {
  test('is lost without an effect on the next one, which brings its files again', async () => {
    let calls = 0;
    const { progress, onRefused, written } = build(async () =>
      ++calls === 1 ? await Promise.reject<ChangeOutcome>(new Error('Redis is away')) : APPLIED,
    );
    progress.announce(fileOf('160'));
    await jest.advanceTimersByTimeAsync(GATHERED_MS);
    progress.report({ stage: 'b', fraction: 0.5 });
    await progress.close();
    expect([written.mock.calls.length, onRefused.mock.calls.length]).toEqual([2, 0]);
    expect(written.mock.calls.at(-1)).toEqual([2, 'b', 0.5, [fileOf('160')]]);
  });
});
