import { describe, expect, test } from '@jest/globals';
import { Random } from '../../../../scripts/chaos/random.ts';

describe('Random', () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 200 }, () => random.between(1, 6));
  };

  test('is the same for the same seed, and differs for another', () => {
    expect(draw(5)).toEqual(draw(5));
    expect(draw(6)).not.toEqual(draw(5));
  });

  test('reaches both limits, and nothing beyond', () => {
    expect([...new Set(draw(5))].sort((left, right) => left - right)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('shuffles without losing a member', () => {
    const list = Array.from({ length: 30 }, (_, index) => index);
    const shuffled = new Random(3).shuffle(list);
    expect(shuffled).not.toEqual(list);
    expect(shuffled.toSorted((left, right) => left - right)).toEqual(list);
  });

  test('throws if it must pick from an empty list', () => {
    expect(() => new Random(1).pick([])).toThrow('nothing to pick from');
  });
});
