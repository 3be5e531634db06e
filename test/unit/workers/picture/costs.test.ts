import { describe, expect, test } from '@jest/globals';
import { DEFAULT_PICTURE_OPTIONS, type VariantSpec } from '../../../../src/kinds/picture-options.ts';
import { costsOf, TYPICAL_COSTS, type CostlyFacts, type PictureCosts } from '../../../../workers/picture/costs.ts';
import { planPicture } from '../../../../workers/picture/plan.ts';

const PHOTO: CostlyFacts = {
  width: 4000,
  height: 3000,
  format: 'jpeg',
  frames: 1,
  isProgressive: false,
  isManaged: false,
};

function costs(
  more: Partial<CostlyFacts> = {},
  specs: readonly VariantSpec[] = DEFAULT_PICTURE_OPTIONS.variants,
): PictureCosts {
  const facts = { ...PHOTO, ...more };
  return costsOf(facts, planPicture({ ...facts, isAnimated: facts.frames > 1 }, specs));
}

describe('picture costs', () => {
  test('equal the typical costs for an ordinary photo', () => {
    expect(costs().decode / TYPICAL_COSTS.decode).toBeCloseTo(1, 1);
    expect(costs().variants / TYPICAL_COSTS.variants).toBeCloseTo(1, 0);
  });

  test('grow with the number of pixels and with properties that make reading slow', () => {
    expect(costs({ width: 8000 }).decode).toBeCloseTo(2 * costs().decode);
    for (const more of [{ format: 'avif' }, { isProgressive: true }, { isManaged: true }])
      expect(costs(more).decode).toBeGreaterThan(1.5 * costs().decode);
    expect(costs({ format: 'unheard-of' }).decode).toBeGreaterThan(0);
  });

  test('grow with the size and the format of the variants', () => {
    const of = (format: VariantSpec['format'], longestSide: number) =>
      costs({}, [{ name: 'a', format, longestSide }]).variants;
    expect(of('webp', 1600)).toBeCloseTo(4 * of('webp', 800));
    expect(of('avif', 800)).toBeGreaterThan(of('webp', 800));
    expect(of('jpeg', 800)).toBeLessThan(of('webp', 800));
  });

  test('grow with the number of frames for animated variants only', () => {
    const gif = { width: 400, height: 300, format: 'gif' };
    expect(costs({ ...gif, frames: 40 }).variants).toBeGreaterThan(30 * costs(gif).variants);
    const still: VariantSpec[] = [{ name: 'a', longestSide: 100, format: 'jpeg' }];
    expect(costs({ ...gif, frames: 40 }, still)).toEqual(costs(gif, still));
  });
});
