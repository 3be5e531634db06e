import { describe, expect, test } from '@jest/globals';
import { ProgressChecker, type Observation } from '../../../../scripts/chaos/progress-checker.ts';

const seen = (change: Partial<Observation> = {}): Observation => ({
  version: 5,
  percent: 40,
  state: 'processing',
  final: false,
  timedOut: false,
  life: '/variants/a',
  since: undefined,
  sentAtMs: 0,
  answeredAtMs: 1,
  ...change,
});
const completed = (change: Partial<Observation> = {}) =>
  seen({ version: 9, percent: 100, state: 'completed', final: true, ...change });
const cancelled = (change: Partial<Observation> = {}) =>
  seen({ version: 9, state: 'cancelled', final: true, ...change });

function offencesOf(
  observations: readonly Observation[],
  { mayRestart = false, isLost = false } = {},
): readonly string[] {
  const checker = new ProgressChecker(() => isLost);
  for (const observation of observations) checker.see(observation, mayRestart);
  return checker.offences;
}

describe('ProgressChecker', () => {
  test('accepts answers that only go forward', () => {
    const result = [
      seen({ version: 1, percent: 0, state: 'receiving' }),
      seen({ version: 3, percent: 30, state: 'queued' }),
      seen({ version: 4, percent: 30 }),
      seen(),
      // A worker that stops has requeued it.
      seen({ version: 6, state: 'queued' }),
      seen({ version: 7, timedOut: true }),
      seen({ version: 7 }),
      completed(),
      completed(),
    ];
    expect(offencesOf(result)).toEqual([]);
  });

  test.each<[string, Observation, Observation]>([
    ['version went back', seen(), seen({ version: 4 })],
    ['percent went back', seen(), seen({ version: 6, percent: 39 })],
    ['state went back', seen({ state: 'queued' }), seen({ version: 6, state: 'receiving' })],
    ['two states of one version', seen(), seen({ percent: 41 })],
    ['two states of one version', seen(), seen({ state: 'queued' })],
    ['a final state changed', cancelled(), completed({ version: 10 })],
    ['a final state changed', cancelled(), seen({ version: 10 })],
    ['started again', cancelled(), seen({ version: 10, percent: 0, state: 'receiving', life: '/variants/b' })],
  ])('reports that %s', (words, first, second) => {
    expect(offencesOf([first, second])).toEqual([expect.stringContaining(words)]);
  });

  test.each<[string, Observation]>([
    ['100 % in state processing', seen({ percent: 100 })],
    ['99 % in state completed', completed({ percent: 99 })],
    ['final is true in state processing', seen({ final: true })],
    ['an answer without a change', seen({ since: 5 })],
  ])('reports %s', (words, observation) => {
    expect(offencesOf([observation])).toEqual([expect.stringContaining(words)]);
  });

  test('accepts an answer without a change if the time was up or the upload is final', () => {
    expect(offencesOf([seen({ since: 5, timedOut: true }), completed({ since: 9 })])).toEqual([]);
  });

  test('accepts that a late request starts an upload again, unless it is completed', () => {
    const restarted = seen({ version: 10, percent: 0, state: 'receiving', life: '/variants/b' });
    expect(offencesOf([cancelled(), restarted], { mayRestart: true })).toEqual([]);
    expect(offencesOf([completed(), restarted], { mayRestart: true })).toEqual([
      expect.stringContaining('started again'),
    ]);
  });

  test('compares nothing across a loss, and everything after it', () => {
    expect(offencesOf([completed(), seen()], { isLost: true })).toEqual([]);
    let isLost = true;
    const checker = new ProgressChecker(() => isLost);
    checker.see(completed(), false);
    checker.see(seen(), false);
    isLost = false;
    checker.see(seen({ version: 4 }), false);
    expect(checker.offences).toEqual([expect.stringContaining('version went back')]);
  });
});
