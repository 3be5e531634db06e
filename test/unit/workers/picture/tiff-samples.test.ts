import type { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { pages } from '../../../helpers/pictures.ts';
import { pictureFixture } from '../../../helpers/picture-fixture.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { tiffFile, type TiffContent, type TiffTag } from '../../../helpers/tiff-file.ts';

const VARIANTS = [{ name: 'a', longestSide: 8, format: 'png' }];
const [EXTRA_SAMPLES, SAMPLE_FORMAT, COMPRESSION, SUBSAMPLING] = [338, 339, 259, 530];
const RED = [200, 40, 40];

async function colourOf(bytes: Buffer): Promise<unknown> {
  const { result, files } = await processPicture(bytes, {}, { variants: VARIANTS });
  const seen = (await seePicture(files.get('a') ?? bytes)).at(0.5, 0.5);
  return { hasAlpha: result.hasAlpha, colour: seen };
}

const eightBits = (count: number) => Array.from({ length: count }, () => 8);
const extra = (...types: number[]): TiffTag => [EXTRA_SAMPLES, 3, types];

describe('TIFF with more channels than colours and alpha', () => {
  test.each<[string, TiffContent, object]>([
    [
      'RGB with alpha and a mask',
      { bits: eightBits(5), pixel: [...RED, 255, 0], tags: [extra(2, 0)] },
      { hasAlpha: true, colour: [...RED, 255] },
    ],
    [
      'RGB with two spot colours',
      { bits: eightBits(5), pixel: [...RED, 0, 0], tags: [extra(0, 0)] },
      { hasAlpha: false, colour: [...RED, 255] },
    ],
    [
      'RGB with four spot colours',
      { bits: eightBits(7), pixel: [...RED, 0, 0, 0, 0], tags: [extra(0, 0, 0, 0)] },
      { hasAlpha: false, colour: [...RED, 255] },
    ],
    [
      '16 bits',
      { bits: [16, 16, 16, 16, 16], pixel: [0, 200, 0, 40, 0, 40, 0, 0, 0, 0], tags: [extra(0, 0)] },
      { hasAlpha: false, colour: [...RED, 255] },
    ],
    [
      'grey with masks',
      { bits: eightBits(3), photometric: 1, pixel: [200, 0, 0], tags: [extra(0, 0)] },
      { hasAlpha: false, colour: [200, 200, 200, 255] },
    ],
  ])('shows its colours: %s', async (_, content, wanted) => {
    expect(await colourOf(tiffFile(content))).toEqual(wanted);
  });

  test('shows its colours: CMYK with a spot colour without ink', async () => {
    const content = { bits: eightBits(4), photometric: 5, pixel: [0, 200, 200, 0] };
    const spot = { bits: eightBits(5), photometric: 5, pixel: [0, 200, 200, 0, 0], tags: [extra(0)] };
    expect(await colourOf(tiffFile(spot))).toEqual(await colourOf(tiffFile(content)));
  });

  test('is read from the fixture p01-five-channels.tif', async () => {
    expect(await colourOf(await pictureFixture('p01-five-channels.tif'))).toEqual({
      hasAlpha: true,
      colour: [...RED, 255],
    });
  });

  test('is rejected with more than 16 channels or too many values', async () => {
    const many = tiffFile({ bits: eightBits(17), pixel: [...RED, ...Array.from({ length: 14 }, () => 0)] });
    await expect(processPicture(many)).rejects.toMatchObject({ code: 'picture_unsupported' });
    const five = tiffFile({ bits: eightBits(5), pixel: [...RED, 0, 0] });
    await expect(processPicture(five, { maxPixels: 256 })).rejects.toMatchObject({ code: 'picture_too_large' });
  });
});

describe('TIFF with unusual pixels', () => {
  test.each(['p02-signed-rgb.tif', 'p03-float-grey.tif', 'p04-twelve-bits.tif'])(
    'is rejected as picture_unsupported with advice: %s',
    async (name) => {
      await expect(processPicture(await pictureFixture(name))).rejects.toMatchObject({
        code: 'picture_unsupported',
        detail: expect.stringMatching(/Save it as TIFF with 8 or 16 bits/),
      });
    },
  );

  test.each<[string, TiffContent]>([
    ['signed numbers of 8 bits', { bits: eightBits(3), pixel: RED, tags: [[SAMPLE_FORMAT, 3, [2, 2, 2]]] }],
    [
      'floating-point numbers of 16 bits',
      { bits: [16], photometric: 1, pixel: [0, 60], tags: [[SAMPLE_FORMAT, 3, [3]]] },
    ],
    [
      'floating-point numbers of 64 bits',
      { bits: [64], photometric: 1, pixel: [0, 0, 0, 0, 0, 0, 224, 63], tags: [[SAMPLE_FORMAT, 3, [3]]] },
    ],
    ['32 bits', { bits: [32], photometric: 1, pixel: [0, 0, 0, 128] }],
    ['4 bits of each colour', { bits: [4, 4, 4], pixel: [12, 12] }],
    ['5, 6 and 5 bits', { bits: [5, 6, 5], pixel: [12, 12] }],
    ['CIELAB of 8 bits', { bits: eightBits(3), photometric: 8, pixel: [128, 60, 40] }],
    ['ICCLAB', { bits: eightBits(3), photometric: 9, pixel: [128, 188, 168] }],
    [
      'YCbCr without compression',
      { bits: eightBits(3), photometric: 6, pixel: [128, 100, 180], tags: [[SUBSAMPLING, 3, [1, 1]]] },
    ],
    ['JPEG of the old kind', { bits: eightBits(3), pixel: RED, tags: [[COMPRESSION, 3, [6]]] }],
  ])('is rejected as picture_unsupported: %s', async (_, content) => {
    await expect(processPicture(tiffFile(content))).rejects.toMatchObject({
      code: 'picture_unsupported',
      detail: expect.stringMatching(/Save it as .*JPEG or PNG/),
    });
  });

  test('is rejected as picture_unsupported: its first page is a preview', async () => {
    const preview: TiffTag = [254, 4, [1]];
    const two = await pages(2);
    const first = two.readUInt32LE(4);
    const entry = two.subarray(first + 2, first + 14);
    expect(entry.readUInt16LE(0)).toBe(254);
    entry.writeUInt32LE(1, 8);
    await expect(processPicture(two)).rejects.toMatchObject({
      code: 'picture_unsupported',
      detail: expect.stringMatching(/begins with a small preview/),
    });
    expect(await colourOf(tiffFile({ bits: eightBits(3), pixel: RED, tags: [preview] }))).toMatchObject({
      colour: [...RED, 255],
    });
  });

  test.each<[string, TiffContent, readonly number[]]>([
    [
      '4 bits of grey',
      { width: 16, height: 8, bits: [4], photometric: 1, pixel: [0xcc], tags: [[256, 3, [32]]] },
      [204, 204, 204, 255],
    ],
    ['CIELAB of 16 bits', { bits: [16, 16, 16], photometric: 8, pixel: [0, 128, 0, 0, 0, 0] }, [119, 119, 119, 255]],
  ])('is still read if libvips reads it correctly: %s', async (_, content, colour) => {
    expect(await colourOf(tiffFile(content))).toMatchObject({ colour });
  });
});
