import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { perceptualHashOf } from '../../../../workers/picture/perceptual-hash.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { photo, quarters } from '../../../helpers/pictures.ts';

/** As the documentation tells people to compare. */
const NEAR = 10;

async function hashOf(bytes: Buffer): Promise<string> {
  return (await processPicture(bytes, {}, { variants: [] })).result.perceptualHash;
}

function distance(one: string, other: string): number {
  return (BigInt(`0x${one}`) ^ BigInt(`0x${other}`)).toString(2).replaceAll('0', '').length;
}

describe('the perceptual hash', () => {
  test('of copies in other sizes, formats, qualities and shades is near', async () => {
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

  test('of a picture held the other way is that of the picture as seen', async () => {
    const hashes = await Promise.all([1, 6, 3].map(async (orientation) => await hashOf(await photo({ width: 300, height: 200, seed: 5, orientation, quality: 95 }))));
    for (const hash of hashes) expect(distance(hash, hashes[0] ?? '')).toBeLessThanOrEqual(NEAR);
  });

  test('of other pictures is far', async () => {
    const hashes = await Promise.all([1, 2, 3, 4, 5].map(async (seed) => await hashOf(await photo({ width: 300, height: 200, seed }))));
    hashes.push(await hashOf(await quarters({ width: 300, height: 200 })));
    const distances = hashes.flatMap((one, index) => hashes.slice(index + 1).map((other) => distance(one, other)));
    expect(Math.min(...distances)).toBeGreaterThan(NEAR);
  });

  test('has 64 bits, none of them set where nothing is to be seen', () => {
    expect(perceptualHashOf(Buffer.alloc(1024, 128))).toBe('0'.repeat(16));
    expect(perceptualHashOf(Buffer.from(Array.from({ length: 1024 }, (_, at) => (at * 7919) % 251)))).toMatch(/^[0-9a-f]{16}$/);
  });

  test('is that of the definition: one slow wave from left to right sets the bits of its row alone', () => {
    const grey = Buffer.from(Array.from({ length: 1024 }, (_, at) => 128 + Math.round(100 * Math.cos(((2 * (at % 32) + 1) * Math.PI) / 64))));
    // Vertical frequencies 1 to 8 of what does not change downwards are nothing.
    expect(perceptualHashOf(grey)).toBe('0'.repeat(16));
    const both = Buffer.from(Array.from({ length: 1024 }, (_, at) => {
      const wave = (place: number) => Math.cos(((2 * place + 1) * Math.PI) / 64);
      return 128 + Math.round(100 * wave(at % 32) * wave(Math.floor(at / 32)));
    }));
    expect(perceptualHashOf(both).startsWith('8')).toBe(true);
  });
});
