import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import type { PictureFormat } from '../../../../src/kinds/picture-options.ts';
import { encode as encodeTo, encodeAnimation, type AnimationTarget } from '../../../../workers/picture/encode.ts';
import { decode, type Pixels } from '../../../../workers/picture/libvips.ts';
import type { Size } from '../../../../workers/picture/size.ts';
import { colourName, seePicture } from '../../../helpers/seen-picture.ts';
import { withFile } from '../../../helpers/process-picture.ts';
import { animation, photo, quarters, transparentPng } from '../../../helpers/pictures.ts';

const SETTINGS = { maxPixels: 100_000_000, maxSeconds: 60 };

async function decoded(bytes: Buffer, width = 120, height = 80): Promise<Pixels> {
  return await withFile(
    bytes,
    async (path) => await decode(path, { size: { width, height }, appliesProfile: true, ...SETTINGS }),
  );
}

/** Encodes with the default quality of the encoder. */
async function encode(
  pixels: Pixels,
  format: PictureFormat,
  size: Size = pixels,
  whole: Size = pixels,
): Promise<Buffer> {
  return await encodeTo(pixels, { whole, size, format, quality: undefined });
}

describe('framing', () => {
  test('happens after scaling', async () => {
    const seen = await seePicture(
      await encode(await decoded(await quarters()), 'png', { width: 30, height: 40 }, { width: 60, height: 40 }),
    );
    expect([seen.width, seen.height]).toEqual([30, 40]);
    expect(
      [seen.at(0.25, 0.25), seen.at(0.75, 0.25), seen.at(0.25, 0.75), seen.at(0.75, 0.75)].map(colourName),
    ).toEqual(['red', 'green', 'blue', 'white']);
  });

  test('cuts equally from both sides', async () => {
    const seen = await seePicture(await encode(await decoded(await quarters()), 'png', { width: 60, height: 20 }));
    expect([seen.width, seen.height]).toEqual([60, 20]);
    expect(
      [seen.at(0.25, 0.25), seen.at(0.75, 0.25), seen.at(0.25, 0.75), seen.at(0.75, 0.75)].map(colourName),
    ).toEqual(['red', 'green', 'blue', 'white']);
  });

  test.each<[PictureFormat, number]>([
    ['webp', 0],
    ['avif', 0],
    ['png', 0],
    ['jpeg', 255],
  ])('adds margins in %s, transparent or white', async (format, alpha) => {
    for (const colours of ['rgb', 'grey'] as const) {
      const seen = await seePicture(
        await encode(await decoded(await quarters({ colours })), format, { width: 121, height: 200 }),
      );
      expect([seen.width, seen.height, seen.at(0.5, 0.1)[3], seen.at(0.5, 0.9)[3]]).toEqual([121, 200, alpha, alpha]);
      if (alpha === 255) expect(colourName(seen.at(0.5, 0.1))).toBe('white');
      expect(seen.at(0.5, 0.5)[3]).toBe(255);
    }
  });
});

describe('encoding', () => {
  test('puts transparency on white if the format has no alpha', async () => {
    const pixels = await decoded(await transparentPng(), 400, 300);
    expect(colourName((await seePicture(await encode(pixels, 'jpeg'))).at(0.05, 0.05))).toBe('white');
  });

  test('keeps transparency if the format has alpha', async () => {
    const seen = await seePicture(await encode(await decoded(await transparentPng(), 400, 300), 'webp'));
    expect([seen.at(0.05, 0.05)[3], seen.at(0.5, 0.5)[3]]).toEqual([0, 255]);
  });

  test.each(['webp', 'jpeg', 'avif', 'png'] as const)(
    'writes no EXIF, position, profile or text into %s',
    async (format) => {
      const exif = { date: '2024:05:01 12:30:00', make: 'Canon', model: 'R5', gps: true };
      const original = await photo({ width: 120, height: 80, exif, orientation: 6, profile: 'p3' });
      expect((await seePicture(original)).metadata.exif).toBeDefined();
      const { metadata } = await seePicture(await encode(await decoded(original), format));
      expect([metadata.exif, metadata.xmp, metadata.iptc, metadata.icc, metadata.orientation]).toEqual(
        Array(5).fill(undefined),
      );
    },
  );
});

describe('animation', () => {
  async function moving(bytes: Buffer, fit: AnimationTarget['fit'], width: number, height: number): Promise<Buffer> {
    const { pages: frames = 1 } = await sharp(bytes).metadata();
    return await withFile(
      bytes,
      async (path) => await encodeAnimation(path, { size: { width, height }, fit, frames, quality: 80 }, SETTINGS),
    );
  }

  async function frame(bytes: Buffer, page: number) {
    return await seePicture(await sharp(bytes, { page }).png().toBuffer());
  }

  test.each(['gif', 'webp'] as const)(
    'from %s keeps its frames, their durations and its number of loops',
    async (format) => {
      const bytes = await moving(await animation(format, 5), 'inside', 60, 40);
      const { metadata } = await seePicture(bytes);
      expect(metadata).toMatchObject({
        format: 'webp',
        width: 60,
        height: 40,
        pages: 5,
        loop: 0,
        delay: Array(5).fill(100),
      });
      expect((await frame(bytes, 0)).at(0.5, 0.5)[0]).toBeGreaterThan((await frame(bytes, 4)).at(0.5, 0.5)[0] + 100);
    },
  );

  test('is cut and framed frame by frame, and not enlarged', async () => {
    const cut = await moving(await animation('gif', 3), 'cover', 40, 80);
    expect((await seePicture(cut)).metadata).toMatchObject({ width: 40, height: 80, pages: 3 });
    const framed = await moving(await animation('gif', 3), 'contain', 400, 100);
    expect((await seePicture(framed)).metadata).toMatchObject({ width: 400, height: 100, pages: 3 });
    const last = await frame(framed, 2);
    expect([
      last.at(0.1, 0.5)[3],
      last.at(0.5, 0.05)[3],
      last.at(0.5, 0.5)[3],
      last.at(0.36, 0.5)[3],
      last.at(0.34, 0.5)[3],
    ]).toEqual([0, 0, 255, 255, 0]);
  });

  test('is rejected if its frames together exceed the pixel limit', async () => {
    const settings = { ...SETTINGS, maxPixels: 120 * 80 * 3 - 1 };
    const run = withFile(
      await animation('gif', 3),
      async (path) =>
        await encodeAnimation(path, { size: { width: 6, height: 4 }, fit: 'inside', frames: 3, quality: 80 }, settings),
    );
    await expect(run).rejects.toThrow('pixel limit');
  });
});
