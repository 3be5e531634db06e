import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PictureFit, VariantSpec } from '../../../../src/kinds/picture-options.ts';
import { planPicture } from '../../../../workers/picture/plan.ts';

/** Returns `whole → size` of one variant of a picture. */
function planOf(
  picture: [width: number, height: number],
  box: { longestSide?: number; width?: number; height?: number; fit?: PictureFit },
): string {
  const [planned] = planPicture({ width: picture[0], height: picture[1], isAnimated: false }, [
    { name: 'a', format: 'webp', ...box },
  ]).variants;
  return `${planned?.whole.width}×${planned?.whole.height} → ${planned?.size.width}×${planned?.size.height}`;
}

describe('planned variant', () => {
  test.each([
    ['by its longest side', [4000, 3000], { longestSide: 400 }, '400×300 → 400×300'],
    ['by its longest side, upright', [3000, 4000], { longestSide: 400 }, '300×400 → 300×400'],
    ['by its width', [4000, 3000], { width: 200 }, '200×150 → 200×150'],
    ['by its height', [4000, 3000], { height: 300 }, '400×300 → 400×300'],
    ['inside a box', [4000, 3000], { width: 400, height: 100 }, '133×100 → 133×100'],
    ['cut to a wide box', [4000, 3000], { width: 400, height: 100, fit: 'cover' }, '400×300 → 400×100'],
    ['cut to an upright box', [4000, 3000], { width: 100, height: 300, fit: 'cover' }, '400×300 → 100×300'],
    ['with margins', [4000, 3000], { width: 400, height: 400, fit: 'contain' }, '400×300 → 400×400'],
  ] as const)('%s', (_, picture, box, expected) => {
    expect(planOf([...picture], box)).toBe(expected);
  });

  test.each([
    ['stays as it is', [80, 60], { longestSide: 400 }, '80×60 → 80×60'],
    ['stays as it is inside a box', [80, 60], { width: 400, height: 400 }, '80×60 → 80×60'],
    ['is cut to the shape of the box', [80, 60], { width: 400, height: 400, fit: 'cover' }, '80×60 → 60×60'],
    [
      'is cut to the shape where one side of the box is larger',
      [800, 60],
      { width: 400, height: 400, fit: 'cover' },
      '800×60 → 60×60',
    ],
    ['gets wider margins', [80, 60], { width: 400, height: 400, fit: 'contain' }, '80×60 → 400×400'],
  ] as const)('of a picture that is too small %s', (_, picture, box, expected) => {
    expect(planOf([...picture], box)).toBe(expected);
  });
});

describe('plan of a picture', () => {
  const box = fc.record({
    width: fc.integer({ min: 1, max: 8192 }),
    height: fc.integer({ min: 1, max: 8192 }),
    fit: fc.constantFrom<PictureFit>('inside', 'cover', 'contain'),
  });
  const side = fc.integer({ min: 1, max: 100_000 });

  test('makes each variant from the previous one, for all sizes, and enlarges nothing', () => {
    fc.assert(
      fc.property(side, side, fc.array(box, { maxLength: 6 }), (width, height, boxes) => {
        const { decoded, variants } = planPicture(
          { width, height, isAnimated: false },
          boxes.map((one, index) => ({ name: `v${index}`, format: 'png', ...one })),
        );
        let before = decoded;
        expect(before.width <= width && before.height <= height).toBe(true);
        for (const { whole, spec, size } of variants) {
          // Two boxes of nearly the same size may differ by one after rounding.
          expect(whole.width <= before.width + 1 && whole.height <= before.height + 1).toBe(true);
          if (spec.fit === 'inside') expect(size).toEqual(whole);
          if (spec.fit === 'contain') expect(size).toEqual({ width: spec.width, height: spec.height });
          if (spec.fit === 'cover')
            expect(size.width <= whole.width && size.height <= whole.height && size.width <= (spec.width ?? 0)).toBe(
              true,
            );
          before = whole;
        }
      }),
    );
  });

  test('decodes the size of the preview if no variant is requested', () => {
    expect(planPicture({ width: 4000, height: 2000, isAnimated: false }, [])).toEqual({
      decoded: { width: 64, height: 32 },
      variants: [],
      lastStill: undefined,
    });
  });

  test('decodes a small size if all large variants are animated', () => {
    const specs: VariantSpec[] = [
      { name: 'a', longestSide: 900, format: 'webp' },
      { name: 'b', longestSide: 200, format: 'jpeg' },
    ];
    const { decoded, variants } = planPicture({ width: 1000, height: 500, isAnimated: true }, specs);
    expect([decoded, variants.map(({ isAnimated }) => isAnimated)]).toEqual([
      { width: 200, height: 100 },
      [true, false],
    ]);
  });
});
