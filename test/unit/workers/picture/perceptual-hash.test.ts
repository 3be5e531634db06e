import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { perceptualHashOf, shadesOf } from '../../../../workers/picture/perceptual-hash.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { photo, quarters } from '../../../helpers/pictures.ts';

/** The distance that the documentation recommends. */
const NEAR = 10;

async function hashOf(bytes: Buffer): Promise<string> {
  return (await processPicture(bytes, {}, { variants: [] })).result.perceptualHash;
}

function distance(one: string, other: string): number {
  return (BigInt(`0x${one}`) ^ BigInt(`0x${other}`)).toString(2).replaceAll('0', '').length;
}

describe('perceptual hash', () => {
  test('differs in few bits for copies in other sizes, formats, qualities and shades', async () => {
    const original = await photo({ width: 900, height: 600, seed: 3, quality: 95 });
    const copies = await Promise.all([
      sharp(original).resize(300).jpeg({ quality: 40 }).toBuffer(),
      sharp(original).webp({ quality: 50 }).toBuffer(),
      sharp(original).resize(450, 300).png().toBuffer(),
      sharp(original).avif({ quality: 40, effort: 0 }).toBuffer(),
      sharp(original).modulate({ brightness: 1.1 }).jpeg().toBuffer(),
      sharp(original).greyscale().jpeg().toBuffer(),
    ]);
    const hash = await hashOf(original);
    for (const copy of copies) expect(distance(hash, await hashOf(copy))).toBeLessThanOrEqual(NEAR);
  });

  test('is computed after the orientation is applied', async () => {
    const hashes = await Promise.all(
      [1, 6, 3].map(
        async (orientation) =>
          await hashOf(await photo({ width: 300, height: 200, seed: 5, orientation, quality: 95 })),
      ),
    );
    for (const hash of hashes) expect(distance(hash, hashes[0] ?? '')).toBeLessThanOrEqual(NEAR);
  });

  test('differs in many bits for other pictures', async () => {
    const hashes = await Promise.all(
      [1, 2, 3, 4, 5].map(async (seed) => await hashOf(await photo({ width: 300, height: 200, seed }))),
    );
    hashes.push(await hashOf(await quarters({ width: 300, height: 200 })));
    const distances = hashes.flatMap((one, index) => hashes.slice(index + 1).map((other) => distance(one, other)));
    expect(Math.min(...distances)).toBeGreaterThan(NEAR);
  });

  test('has 64 bits, all zero for a picture of one colour', () => {
    expect(perceptualHashOf(new Float64Array(1024).fill(128))).toBe('0'.repeat(16));
    expect(perceptualHashOf(Float64Array.from({ length: 1024 }, (_, at) => (at * 7919) % 251))).toMatch(
      /^[0-9a-f]{16}$/,
    );
  });

  test('has a bit for each pair of frequencies, the lowest first', () => {
    const wave = (frequency: number, place: number) => Math.cos(((2 * place + 1) * frequency * Math.PI) / 64);
    const shades = (across: number, down: number) =>
      Float64Array.from({ length: 1024 }, (_, at) => 100 * wave(across, at % 32) * wave(down, Math.floor(at / 32)));
    expect(perceptualHashOf(shades(1, 1))).toBe('8000000000000000');
    expect(perceptualHashOf(shades(8, 1))).toBe('0100000000000000');
    expect(perceptualHashOf(shades(8, 8))).toBe('0000000000000001');
    // Frequencies that are constant vertically, or too high, set no bit.
    expect([perceptualHashOf(shades(1, 0)), perceptualHashOf(shades(9, 1))]).toEqual(Array(2).fill('0'.repeat(16)));
  });
});

describe('grey values of the hash', () => {
  const rgba = (width: number, height: number, pixel: (x: number, y: number) => number[]) => ({
    width,
    height,
    channels: 4 as const,
    data: Buffer.from(
      Array.from({ length: width * height }, (_, at) => pixel(at % width, Math.floor(at / width))).flat(),
    ),
  });

  test('are the mean brightness of their field, with transparency as white', () => {
    const shades = shadesOf(rgba(64, 48, (x, y) => (x < 32 ? [255, 0, 0, 255] : [0, 0, 0, y < 24 ? 0 : 255])));
    expect(shades[0]).toBeCloseTo(0.299 * 255);
    expect([shades[31], shades[1023]]).toEqual([255, 0]);
  });

  test('repeat if the picture has too few pixels', () => {
    const shades = shadesOf(rgba(2, 1, (x) => Array(4).fill(255 * x || 1)));
    expect(shades).toHaveLength(1024);
    expect(shades[15]).not.toBe(shades[16]);
    expect(shades[16]).toBe(shades[1023]);
  });
});
