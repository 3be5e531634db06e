import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { readContainer } from '../../../../workers/picture/container-facts.ts';
import { toneMap } from '../../../../workers/picture/tone-map.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { pictureFixture } from '../../../helpers/picture-fixture.ts';
import { flipBits } from '../../../helpers/pictures.ts';
import { processPicture, withWindow } from '../../../helpers/process-picture.ts';

const VARIANTS = [{ name: 'a', longestSide: 64, format: 'png' }];
const NONE = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

async function shown(bytes: Buffer): Promise<(x: number, y: number) => number[]> {
  const { files } = await processPicture(bytes, {}, { variants: VARIANTS });
  const seen = await seePicture(files.get('a') ?? Buffer.alloc(0));
  return (x, y) => seen.at(x, y).slice(0, 3);
}

/** Replaces the numbers of the colours, which follow `nclx`. */
function numbered(avif: Buffer, primaries: number, transfer: number): Buffer {
  const copy = Buffer.from(avif);
  const at = copy.indexOf('nclx') + 4;
  copy.writeUInt16BE(primaries, at);
  copy.writeUInt16BE(transfer, at + 2);
  return copy;
}

const distance = (one: readonly number[], other: readonly number[]) =>
  Math.max(...one.map((channel, index) => Math.abs(channel - (other[index] ?? Infinity))));

/** Tone-maps a grey pixel with a level of 0 to 1. */
async function mapped(curve: 'pq' | 'hlg', level: number): Promise<number[]> {
  const white = 1023 << 6;
  const data = Buffer.from(new Uint16Array([level * white, level * white, level * white]).buffer);
  return [...(await toneMap({ data, width: 1, height: 1, channels: 3, white }, curve, NONE)).data];
}

describe('colours of an AVIF without a profile', () => {
  test('are converted from Display P3', async () => {
    const at = await shown(await pictureFixture('p07-p3-without-profile.avif'));
    // The file has (223, 27, 30) at this place, which is a red outside sRGB.
    expect(distance(at(0.05, 0.1), [243, 0, 0])).toBeLessThan(12);
  });

  test('stay as they are for the primaries of sRGB and for numbers that are not known', async () => {
    const p3 = await pictureFixture('p07-p3-without-profile.avif');
    for (const primaries of [1, 2, 99]) {
      const at = await shown(numbered(p3, primaries, 13));
      expect([primaries, distance(at(0.05, 0.1), [223, 27, 30]) < 8]).toEqual([primaries, true]);
    }
  });

  test('are tone-mapped from PQ and HLG', async () => {
    const pq = await pictureFixture('p08-rec2020-pq.avif');
    for (const transfer of [16, 18]) {
      const at = await shown(numbered(pq, 9, transfer));
      const plain = await shown(numbered(pq, 1, 13));
      const [red = 0, green = 255] = at(0.05, 0.1);
      expect([transfer, red > 200, green < 30]).toEqual([transfer, true, true]);
      expect(distance(at(0.05, 0.1), plain(0.05, 0.1))).toBeGreaterThan(15);
    }
  });

  test('have the tones of ITU-R BT.2100', async () => {
    // Levels of 0, of 203 cd/m² (white) and of 10,000 cd/m² in PQ.
    expect(await mapped('pq', 0)).toEqual([0, 0, 0]);
    expect(distance(await mapped('pq', 0.5807), [191, 191, 191])).toBeLessThan(2);
    expect(await mapped('pq', 1)).toEqual([255, 255, 255]);
    // Levels of 0, of white and of the peak in HLG.
    expect(await mapped('hlg', 0)).toEqual([0, 0, 0]);
    expect(distance(await mapped('hlg', 0.75), [191, 191, 191])).toBeLessThan(3);
    expect(await mapped('hlg', 1)).toEqual([255, 255, 255]);
  });

  test('keep alpha', async () => {
    const data = Buffer.from(new Uint16Array([0, 0, 0, 128 << 8]).buffer);
    const { data: target } = await toneMap({ data, width: 1, height: 1, channels: 4, white: 65_472 }, 'pq', NONE);
    expect([...target]).toEqual([0, 0, 0, 128]);
  });

  test('are expanded to the full range if the file is grey with the limited range', async () => {
    const limited = await shown(await pictureFixture('p11-grey-limited.avif'));
    const full = await shown(await pictureFixture('p09-grey.avif'));
    for (const x of [0.05, 0.3, 0.7, 0.95]) expect(distance(limited(x, 0.5), full(x, 0.5))).toBeLessThan(8);
    expect([limited(0.02, 0.5)[0], limited(0.98, 0.5)[0]]).toEqual([0, 255]);
  });

  test('are read without an error from a damaged description', async () => {
    const whole = await pictureFixture('p08-rec2020-pq.avif');
    for (let seed = 0; seed < 300; seed++) {
      const bytes = seed < 100 ? whole.subarray(0, 33 + 2 * seed) : flipBits(whole, 4, seed, 36);
      const { signal } = new AbortController();
      await withWindow(bytes, async (window) => await readContainer(window, 'image/avif', 1, signal));
    }
  });
});
