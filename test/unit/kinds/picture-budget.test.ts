import { describe, expect, test } from '@jest/globals';
import {
  pictureOptionsSchema,
  DEFAULT_PICTURE_OPTIONS,
  type PictureFormat,
} from '../../../src/kinds/picture-options.ts';
import { leastWeighedPixels, weighedPixels } from '../../../src/kinds/picture-budget.ts';
import { loadConfig } from '../../../src/settings/config.ts';

const { pictureMaxOutputPixels: most } = loadConfig({});

function boxes(count: number, format: PictureFormat, fit = 'contain'): unknown {
  return {
    variants: Array.from({ length: count }, (_, index) => ({
      name: `v${index}`,
      width: 8192,
      height: 8192,
      fit,
      format,
    })),
  };
}

describe('the pixels of variants', () => {
  test('count by the cost of their formats', () => {
    const formats: PictureFormat[] = ['jpeg', 'webp', 'png', 'avif'];
    expect(formats.map((format) => weighedPixels([{ format, pixels: 1000 }]))).toEqual([250, 1000, 2000, 4000]);
  });

  test('allow three variants of any size and format, and many variants of the default sizes', () => {
    const options = pictureOptionsSchema(DEFAULT_PICTURE_OPTIONS, most);
    expect(options.safeParse(boxes(3, 'avif')).success).toBe(true);
    expect(weighedPixels([{ format: 'webp', pixels: 1600 * 1600 + 640 * 640 }])).toBeLessThan(most / 300);
  });

  test('are rejected with the options if their margins exceed the limit for any picture', () => {
    const options = pictureOptionsSchema(DEFAULT_PICTURE_OPTIONS, most);
    expect(options.safeParse(boxes(16, 'avif')).error?.issues[0]).toMatchObject({
      path: ['variants'],
      message: expect.stringMatching(/4,295 million pixels.*At most 1,000 million.*fewer or smaller/),
    });
    expect(options.safeParse(boxes(16, 'avif', 'cover')).success).toBe(true);
    expect(pictureOptionsSchema().safeParse(boxes(16, 'avif')).success).toBe(true);
    expect(leastWeighedPixels([{ format: 'avif' }])).toBe(0);
  });
});
