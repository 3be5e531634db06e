import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { photo } from '../../../helpers/pictures.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { tiffFile } from '../../../helpers/tiff-file.ts';

const OPTIONS = { variants: [{ name: 'a', longestSide: 40, format: 'png' }] };

async function outcomeOf(bytes: Buffer): Promise<unknown> {
  return await processPicture(bytes, {}, OPTIONS).then(
    () => 'completed',
    (error: unknown) => error,
  );
}

async function tiled(compression: 'deflate' | 'lzw'): Promise<Buffer> {
  const tiles = { compression, tile: true, tileWidth: 32, tileHeight: 32 };
  return await sharp(await photo({ width: 128, height: 96 }))
    .tiff(tiles)
    .toBuffer();
}

describe('TIFF with tiles that cannot be decoded', () => {
  test.each(['deflate', 'lzw'] as const)('is rejected instead of black tiles: %s', async (compression) => {
    const whole = await tiled(compression);
    expect(await outcomeOf(whole)).toBe('completed');
    const broken = Buffer.from(whole).fill(0, 8, 12);
    expect(await outcomeOf(broken)).toMatchObject({ code: 'picture_damaged' });
  });

  test('is rejected if its compression is unknown', async () => {
    const bytes = tiffFile({ bits: [8, 8, 8], pixel: [1, 2, 3], tags: [[259, 3, [16_391]]] });
    expect(await outcomeOf(bytes)).toMatchObject({
      code: 'picture_unsupported',
      detail: expect.stringContaining('the compression 16391') as unknown,
    });
  });

  test('completes with a tag that no reader knows', async () => {
    const bytes = tiffFile({ bits: [8, 8, 8], pixel: [1, 2, 3], tags: [[65_000, 3, [1]]] });
    expect(await outcomeOf(bytes)).toBe('completed');
  });
});
