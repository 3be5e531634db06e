import '../../../helpers/one-realm.ts';
import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { pngChunk } from '../../../helpers/pictures.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { fromGamma, toFullRange } from '../../../../workers/picture/levels.ts';

/** The place after the header, where a PNG has its colours. */
const AFTER_HEADER = 33;
const OPTIONS = { variants: [{ name: 'png', longestSide: 8, format: 'png' }] };

/** Returns the colour of a PNG in sRGB whose file names its colours by numbers of ITU-T H.273. */
async function shown(colour: string, [primaries, transfer]: readonly [number, number], space = 'srgb') {
  return await shownWith(colour, [pngChunk('cICP', Buffer.from([primaries, transfer, 0, 1]))], space);
}

/** Returns the colour in sRGB of a PNG with these chunks. */
async function shownWith(colour: string, chunks: readonly Buffer[], space = 'srgb') {
  const create = { width: 8, height: 8, channels: 3 as const, background: colour };
  const png = await sharp({ create }).toColourspace(space).png().toBuffer();
  const { files } = await processPicture(withChunks(png, chunks), {}, OPTIONS);
  return [...(await sharp(files.get('png')).toColourspace('srgb').removeAlpha().raw().toBuffer()).subarray(0, 3)];
}

function withChunks(png: Buffer, chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([png.subarray(0, AFTER_HEADER), ...chunks, png.subarray(AFTER_HEADER)]);
}

describe('PNG with colours by numbers', () => {
  test.each(['srgb', 'rgb16'])('is converted from Display P3 to sRGB: %s', async (space) => {
    const [red = 0, green = 0, blue = 0] = await shown('rgb(200, 100, 50)', [12, 13], space);
    expect([Math.abs(red - 215), Math.abs(green - 93), Math.abs(blue - 31)].every((apart) => apart <= 2)).toBe(true);
  });

  test.each(['srgb', 'rgb16'])('has its HDR curve tone-mapped: %s', async (space) => {
    const [level = 0, ...others] = await shown('rgb(148, 148, 148)', [9, 16], space);
    expect(level).toBeGreaterThan(180);
    expect(level).toBeLessThan(255);
    expect(others).toEqual([level, level]);
  });

  test('keeps its colours if they are those of sRGB', async () => {
    expect(await shown('rgb(200, 100, 50)', [1, 13])).toEqual([200, 100, 50]);
  });

  test('keeps its levels if it is grey', async () => {
    expect(await shown('rgb(90, 90, 90)', [12, 13], 'b-w')).toEqual([90, 90, 90]);
  });
});

function gamma(units: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(units);
  return pngChunk('gAMA', data);
}

describe('PNG with a gamma', () => {
  test.each([
    ['srgb', 'rgb(128, 10, 0)', [188, 55, 0]],
    ['rgb16', 'rgb(128, 10, 0)', [188, 55, 0]],
    ['b-w', 'rgb(128, 128, 128)', [188, 188, 188]],
    ['grey16', 'rgb(128, 128, 128)', [188, 188, 188]],
  ])('is converted from linear light to sRGB: %s', async (space, colour, converted) => {
    const seen = await shownWith(colour, [gamma(100_000)], space);
    expect(seen.every((level, channel) => Math.abs(level - (converted[channel] ?? 0)) <= 1)).toBe(true);
  });

  test('keeps the shadows of 16 bits apart', async () => {
    const levels = Uint16Array.from({ length: 8 }, (_, pixel) => 60 * pixel);
    const png = await sharp(levels, { raw: { width: 8, height: 1, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const { files } = await processPicture(withChunks(png, [gamma(100_000)]), {}, OPTIONS);
    const seen = await sharp(files.get('png')).extractChannel(0).raw().toBuffer();
    expect(new Set(seen).size).toBe(levels.length);
  });

  test('lets other work run between the parts of a large picture', async () => {
    const pixels = { data: Buffer.alloc(600_000, 128), width: 600_000, height: 1, channels: 1 as const };
    for (const convert of [() => fromGamma(pixels, { exponent: 1, bits: 8 }), () => toFullRange(pixels)]) {
      const order: string[] = [];
      setImmediate(() => order.push('other work'));
      await convert();
      expect([...order, 'end']).toEqual(['other work', 'end']);
    }
    expect(new Set(pixels.data).size).toBe(1);
  });

  test.each([
    ['it is that of sRGB', [gamma(45_455)]],
    ['it is zero', [gamma(0)]],
    ['it is more than any screen has', [gamma(4_000_000_000)]],
    ['the file says that its colours are sRGB', [gamma(100_000), pngChunk('sRGB', Buffer.from([0]))]],
    ['the chunk is damaged', [pngChunk('gAMA', Buffer.from([0, 1]))]],
  ])('keeps its levels if %s', async (_why, chunks) => {
    expect(await shownWith('rgb(128, 10, 0)', chunks)).toEqual([128, 10, 0]);
  });
});
