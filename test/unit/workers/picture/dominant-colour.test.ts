import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { dominantColourOf } from '../../../../workers/picture/dominant-colour.ts';

function rgba(...runs: [count: number, red: number, green: number, blue: number, alpha: number][]): Buffer {
  return Buffer.from(runs.flatMap(([count, ...pixel]) => Array.from({ length: count }, () => pixel).flat()));
}

describe('dominant colour', () => {
  test('is the colour of most pixels', () => {
    expect(dominantColourOf(rgba([3, 200, 10, 10, 255], [5, 10, 10, 200, 255]))).toBe('#0a0ac8');
  });

  test('is the mean of similar colours', () => {
    expect(dominantColourOf(rgba([1, 32, 64, 0, 255], [1, 34, 66, 0, 255], [1, 255, 255, 255, 255]))).toBe('#214100');
  });

  test('ignores transparent pixels', () => {
    expect(dominantColourOf(rgba([100, 0, 0, 0, 0], [1, 250, 128, 4, 255]))).toBe('#fa8004');
  });

  test('weights pixels by their alpha', () => {
    expect(dominantColourOf(rgba([5, 0, 0, 0, 100], [3, 255, 0, 0, 255]))).toBe('#ff0000');
  });

  test('is white for a fully transparent picture', () => {
    expect(dominantColourOf(rgba([9, 10, 20, 30, 0]))).toBe('#ffffff');
  });
});
