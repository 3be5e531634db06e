import { describe, expect, test } from '@jest/globals';
import type { PictureFormat } from '../../../../src/kinds/picture-options.ts';
import { encode as encodeTo } from '../../../../workers/picture/encode.ts';
import { decode, readHeader, shrink, toRgba, type Pixels } from '../../../../workers/picture/libvips.ts';
import { colourName, seePicture } from '../../../helpers/seen-picture.ts';
import { withFile } from '../../../helpers/process-picture.ts';
import { animation, hugeClaim, quarters, transparentPng, type PhotoOptions } from '../../../helpers/pictures.ts';

const OPTIONS = { maxPixels: 100_000_000, maxSeconds: 60 };

async function decoded(bytes: Buffer, width = 120, height = 80) {
  return await withFile(
    bytes,
    async (path) => await decode(path, { size: { width, height }, appliesProfile: true, ...OPTIONS }),
  );
}

/** Encodes with the default quality of the encoder. */
async function encode(pixels: Pixels, format: PictureFormat): Promise<Buffer> {
  return await encodeTo(pixels, { whole: pixels, size: pixels, format, quality: undefined });
}

/** Returns the colours of the four quarters in reading order, after decoding and encoding. */
async function quartersSeen(options: PhotoOptions): Promise<string[]> {
  const seen = await seePicture(await encode(await decoded(await quarters(options), 60, 40), 'webp'));
  return [seen.at(0.25, 0.25), seen.at(0.75, 0.25), seen.at(0.25, 0.75), seen.at(0.75, 0.75)].map(colourName);
}

describe('decoding', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('applies orientation %i', async (orientation) => {
    expect(await quartersSeen({ orientation })).toEqual(['red', 'green', 'blue', 'white']);
  });

  test.each<PhotoOptions>([
    { format: 'jpeg', colours: 'cmyk' },
    { format: 'jpeg', progressive: true },
    { format: 'png', colours: '16-bit' },
    { format: 'png', progressive: true },
    { format: 'webp' },
    { format: 'avif' },
    { format: 'gif' },
    { format: 'tiff' },
    { format: 'tiff', colours: '16-bit' },
    { format: 'jpeg', profile: 'p3' },
  ])('converts the colours of %j to sRGB', async (options) => {
    expect(await quartersSeen(options)).toEqual(['red', 'green', 'blue', 'white']);
  });

  test('converts a wide colour space to sRGB', async () => {
    const plain = await seePicture(await encode(await decoded(await quarters({ quality: 100 })), 'webp'));
    const wide = await seePicture(await encode(await decoded(await quarters({ quality: 100, profile: 'p3' })), 'webp'));
    plain.at(0.25, 0.25).forEach((channel, index) => {
      expect(Math.abs(channel - (wide.at(0.25, 0.25)[index] ?? Infinity))).toBeLessThan(12);
    });
  });

  test('keeps a grey picture grey', async () => {
    const seen = await seePicture(await encode(await decoded(await quarters({ colours: 'grey' })), 'webp'));
    const [red, green, blue] = seen.at(0.25, 0.25);
    expect([green, blue]).toEqual([red, red]);
  });

  test('takes the first frame of an animation', async () => {
    for (const format of ['gif', 'webp'] as const) {
      const seen = await seePicture(await encode(await decoded(await animation(format)), 'webp'));
      expect([seen.height, colourName(seen.at(0.5, 0.5))]).toEqual([80, 'red']);
    }
  });

  test('reads a header with impossible claims, but does not decode the file', async () => {
    await withFile(hugeClaim(), async (path) => {
      expect(await readHeader(path)).toMatchObject({ width: 100_000, height: 100_000 });
      await expect(
        decode(path, { size: { width: 1600, height: 1600 }, appliesProfile: true, ...OPTIONS }),
      ).rejects.toThrow('pixel limit');
    });
  });

  test.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'],
    ['PDF', '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj'],
    ['PPM', 'P3 1 1 255 1 2 3\n'],
    ['CSV', '1,2,3\n4,5,6\n'],
  ])('cannot reach the loader of %s under any file name', async (_, text) => {
    await withFile(Buffer.from(text), async (path) => {
      await expect(readHeader(path)).rejects.toThrow('unsupported image format');
    });
  });
});

describe('scaling', () => {
  test('returns the same pixels, not a copy, if the size is equal', async () => {
    const pixels = await decoded(await quarters());
    expect(await shrink(pixels, { width: 120, height: 80 })).toBe(pixels);
  });

  test('keeps transparency, and clean colours at its edge', async () => {
    const pixels = await shrink(await decoded(await transparentPng(400, 300, '#ff0000'), 400, 300), {
      width: 40,
      height: 30,
    });
    expect(pixels).toMatchObject({ width: 40, height: 30, channels: 4 });
    for (let at = 0; at < pixels.data.length; at += 4) {
      if (pixels.data.readUInt8(at + 3) > 8) {
        expect(pixels.data.readUInt8(at)).toBeGreaterThan(240);
      }
    }
  });

  test.each(['grey', 'rgb', 'cmyk'] as const)('toRgba gives %s pixels four channels', async (colours) => {
    const rgba = await toRgba(await decoded(await quarters({ colours })), { width: 60, height: 40 });
    expect(rgba).toMatchObject({ channels: 4, width: 60, height: 40 });
    expect(rgba.data).toHaveLength(60 * 40 * 4);
  });
});
