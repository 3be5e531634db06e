import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { quarters } from '../../../helpers/pictures.ts';
import { processPicture } from '../../../helpers/process-picture.ts';

/** 400 × 300 pixels: three times the limit. */
const LIMITS = { maxPixels: 40_000 };

const SMALL = { variants: [{ name: 'a', longestSide: 100, format: 'png' }] };
const WHOLE = { variants: [{ name: 'a', longestSide: 400, format: 'png' }] };

const TOO_LARGE = { code: 'picture_too_large' };

async function jpeg(options: { width?: number; progressive?: boolean; chromaSubsampling?: string } = {}) {
  const { width = 400, ...encoding } = options;
  return await sharp(await quarters({ width, height: 300, format: 'png' }))
    .jpeg(encoding)
    .toBuffer();
}

describe('limits of a JPEG', () => {
  test.each([1, 6])('accept more pixels than are decoded, with the orientation %d', async (orientation) => {
    const turned = await sharp(await jpeg())
      .withMetadata({ orientation })
      .jpeg()
      .toBuffer();
    const { result, files } = await processPicture(turned, LIMITS, SMALL);
    expect(Math.max(result.width, result.height)).toBe(400);
    expect(files.size).toBe(1);
  });

  test('reject a picture of which a variant needs too many pixels, and say what to do', async () => {
    await expect(processPicture(await jpeg(), LIMITS, WHOLE)).rejects.toMatchObject({
      ...TOO_LARGE,
      detail: expect.stringMatching(/120,000 pixels would be decoded.*Request smaller variants/) as unknown,
    });
  });

  test('reject more than four times as many pixels, whichever variants are requested', async () => {
    await expect(processPicture(await jpeg({ width: 540 }), LIMITS, SMALL)).rejects.toMatchObject(TOO_LARGE);
  });

  test('reject a progressive picture whose coefficients take too much memory, and say what to do', async () => {
    await expect(processPicture(await jpeg({ progressive: true }), LIMITS, SMALL)).rejects.toMatchObject({
      ...TOO_LARGE,
      detail: expect.stringContaining('Save it as a baseline JPEG') as unknown,
    });
  });

  test('accept a progressive picture with fewer coefficients', async () => {
    const at = { progressive: true, width: 340 };
    const { result } = await processPicture(await jpeg({ ...at, chromaSubsampling: '4:2:0' }), LIMITS, SMALL);
    expect(result.width).toBe(340);
    const full = await jpeg({ ...at, chromaSubsampling: '4:4:4' });
    await expect(processPicture(full, LIMITS, SMALL)).rejects.toMatchObject(TOO_LARGE);
  });

  test('do not apply to other formats', async () => {
    const png = await quarters({ width: 400, height: 300, format: 'png' });
    await expect(processPicture(png, LIMITS, SMALL)).rejects.toMatchObject(TOO_LARGE);
  });
});
