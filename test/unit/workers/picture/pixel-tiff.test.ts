import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { pixelTiff } from '../../../../workers/picture/heic/pixel-tiff.ts';

describe('TIFF of decoded pixels', () => {
  test.each([
    [1, 1, 3],
    [7, 33, 3],
    [16, 16, 4],
    [5, 17, 4],
  ] as const)('%d × %d pixels with %d channels are read back unchanged', async (width, height, channels) => {
    const { bytes, pixels } = pixelTiff({ width, height }, channels, 8, undefined);
    for (const index of pixels.keys()) pixels[index] = (index * 37) % 256;
    const { data, info } = await sharp(Buffer.from(bytes.buffer)).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width, height, channels });
    expect(data.equals(Buffer.from(pixels))).toBe(true);
  });

  test('carries the profile', async () => {
    const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: '#fff' } });
    const { icc = Buffer.alloc(0) } = await sharp(await pixel.withIccProfile('p3').png().toBuffer()).metadata();
    const { bytes } = pixelTiff({ width: 3, height: 3 }, 3, 8, icc);
    expect((await sharp(Buffer.from(bytes.buffer)).metadata()).icc?.equals(icc)).toBe(true);
  });
});
