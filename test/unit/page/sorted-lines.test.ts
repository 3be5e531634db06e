import { describe, expect, test } from '@jest/globals';
import { createLineModel, type LineModel } from '../../../src/page/line-model.ts';
import type { Rank } from '../../../src/page/line-order.ts';
import { SortedLines } from '../../../src/page/sorted-lines.ts';

const COUNT = 500;

/** Makes a list with a model for each place, and counts the ranks that it has read since `reset`. */
function manyLines(): { lines: SortedLines; models: LineModel[]; reads: () => number; reset: () => void } {
  const lines = new SortedLines();
  const models = Array.from({ length: COUNT }, (_, place) => createLineModel({ name: `${place}`, sizeBytes: 1 }, null));
  let reads = 0;
  const rank = (group: number, place: number): Rank => ({
    get group() {
      reads += 1;
      return group;
    },
    key: 0,
    place,
  });
  models.forEach((model, place) => lines.place(model, rank(0, place)));
  return { lines, models, reads: () => reads, reset: () => (reads = 0) };
}

function namesOf({ models }: SortedLines): number[] {
  return models.map(({ name }) => Number(name));
}

describe('sorted lines', () => {
  test('compare a model with at most 40 of 500 others when it moves', () => {
    const { lines, models, reads, reset } = manyLines();
    reset();
    const [first] = models;
    expect(first && lines.place(first, { group: 1, key: 0, place: 0 })).toBe(COUNT - 1);
    expect(reads()).toBeLessThan(40);
    expect(namesOf(lines)).toEqual([...Array.from({ length: COUNT - 1 }, (_, index) => index + 1), 0]);
  });

  test('report no new index for a model that stays at its place', () => {
    const { lines, models } = manyLines();
    const [, second] = models;
    expect(second && lines.place(second, { group: 0, key: 0, place: 1 })).toBeNull();
    expect(namesOf(lines)).toHaveLength(COUNT);
  });

  test('forget a removed model and take it back at its old place', () => {
    const { lines, models } = manyLines();
    const third = models[2];
    if (!third) throw new Error('there is no third model');
    lines.remove(third);
    expect([lines.models.length, lines.indexOf(third)]).toEqual([COUNT - 1, -1]);
    lines.remove(third);
    expect(lines.models).toHaveLength(COUNT - 1);
    expect(lines.place(third, { group: 0, key: 0, place: 2 })).toBe(2);
    expect(lines.indexOf(third)).toBe(2);
  });

  test('can be sorted by other ranks', () => {
    const { lines } = manyLines();
    lines.sortBy(({ name }) => ({ group: 0, key: -Number(name), place: 0 }));
    expect(namesOf(lines).slice(0, 3)).toEqual([COUNT - 1, COUNT - 2, COUNT - 3]);
    const last = lines.models.at(-1);
    expect(last && lines.indexOf(last)).toBe(COUNT - 1);
  });
});
