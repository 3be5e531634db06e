import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fitWithin } from '../../../../workers/picture/size.ts';

describe('fitWithin', () => {
  test.each([
    [4000, 3000, 1600, 1600, 1200],
    [3000, 4000, 640, 480, 640],
    [6000, 4000, 160, 160, 107],
    [800, 600, 1600, 800, 600],
    [1600, 900, 1600, 1600, 900],
    [1, 90_000, 640, 1, 640],
  ])('scales %i × %i within %i to %i × %i', (width, height, side, expectedWidth, expectedHeight) => {
    expect(fitWithin({ width, height }, side)).toEqual({ width: expectedWidth, height: expectedHeight });
  });

  test('never enlarges, never returns an empty size, and uses the allowed length', () => {
    const side = fc.integer({ min: 1, max: 100_000 });
    fc.assert(
      fc.property(side, side, side, (width, height, longestSide) => {
        const fitted = fitWithin({ width, height }, longestSide);
        expect(fitted.width).toBeGreaterThanOrEqual(1);
        expect(fitted.height).toBeGreaterThanOrEqual(1);
        expect(fitted.width).toBeLessThanOrEqual(width);
        expect(fitted.height).toBeLessThanOrEqual(height);
        expect(Math.max(fitted.width, fitted.height)).toBe(Math.min(longestSide, Math.max(width, height)));
      }),
    );
  });
});
