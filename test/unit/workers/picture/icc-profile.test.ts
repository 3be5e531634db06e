import { Buffer } from 'node:buffer';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { wayToSrgb } from '../../../../workers/picture/icc-profile.ts';
import { toSrgb } from '../../../../workers/picture/to-srgb.ts';
import { fractalPixels } from '../../../helpers/fractal.ts';
import { flipBits, quarters } from '../../../helpers/pictures.ts';

let srgb: Buffer;
let p3: Buffer;

/** Returns a profile as libvips writes it. */
async function profileOf(profile: 'srgb' | 'p3' | 'cmyk'): Promise<Buffer> {
  const bytes = await sharp(await quarters())
    .toColourspace(profile === 'cmyk' ? 'cmyk' : 'srgb')
    .withIccProfile(profile)
    .jpeg()
    .toBuffer();
  return (await sharp(bytes).metadata()).icc ?? Buffer.alloc(0);
}

beforeAll(async () => {
  [srgb, p3] = await Promise.all([profileOf('srgb'), profileOf('p3')]);
});

/** Builds a matrix profile after the specification. */
function profile(primaries: readonly (readonly number[])[], curve: Buffer, more: [string, Buffer][] = []): Buffer {
  const xyz = (values: readonly number[]) => {
    const tag = Buffer.alloc(20);
    tag.write('XYZ ', 'latin1');
    values.forEach((value, index) => tag.writeInt32BE(Math.round(value * 65_536), 8 + 4 * index));
    return tag;
  };
  const tags: [string, Buffer][] = [
    ...primaries.map((values, index): [string, Buffer] => [`${'rgb'[index]}XYZ`, xyz(values)]),
    ...['rTRC', 'gTRC', 'bTRC'].map((name): [string, Buffer] => [name, curve]),
    ...more,
  ];
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length, 0);
  let offset = 128 + table.length;
  for (const [index, [name, tag]] of tags.entries()) {
    table.write(name, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(offset, 8 + 12 * index);
    table.writeUInt32BE(tag.length, 12 + 12 * index);
    offset += tag.length;
  }
  const header = Buffer.alloc(128);
  header.write('RGB XYZ ', 16, 'latin1');
  return Buffer.concat([header, table, ...tags.map(([, tag]) => tag)]);
}

function gamma(value: number): Buffer {
  const tag = Buffer.alloc(14);
  tag.write('curv', 'latin1');
  tag.writeUInt32BE(1, 8);
  tag.writeUInt16BE(Math.round(value * 256), 12);
  return tag;
}

function tableOfSrgb(count: number): Buffer {
  const tag = Buffer.alloc(12 + 2 * count);
  tag.write('curv', 'latin1');
  tag.writeUInt32BE(count, 8);
  for (let index = 0; index < count; index += 1) {
    const level = index / (count - 1);
    tag.writeUInt16BE(
      Math.round(65_535 * (level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4)),
      12 + 2 * index,
    );
  }
  return tag;
}

const SRGB = [
  [0.43607, 0.22249, 0.01392],
  [0.38515, 0.71687, 0.09708],
  [0.14307, 0.06061, 0.7141],
];
const P3 = [
  [0.51512, 0.2412, -0.00105],
  [0.29198, 0.69225, 0.04189],
  [0.1571, 0.06657, 0.78407],
];

describe('conversion of a colour profile', () => {
  test('is none for sRGB of any vendor', () => {
    expect(wayToSrgb(srgb)).toEqual({ method: 'none' });
    expect(wayToSrgb(profile(SRGB, tableOfSrgb(1024)))).toEqual({ method: 'none' });
  });

  test('is a matrix if only the primaries differ, and keeps white', () => {
    for (const way of [wayToSrgb(p3), wayToSrgb(profile(P3, tableOfSrgb(4096)))]) {
      if (way.method !== 'matrix') throw new Error(`it is ${way.method}`);
      expect(way.matrix[0]?.[0]).toBeCloseTo(1.225, 2);
      for (const row of way.matrix) expect(row.reduce((sum, factor) => sum + factor, 0)).toBeCloseTo(1, 2);
    }
  });

  test.each<[string, () => Buffer | Promise<Buffer>]>([
    ['another tone curve', () => profile(SRGB, gamma(2.2))],
    ['a curve of too few steps', () => profile(SRGB, tableOfSrgb(4))],
    ['tables of its own', () => profile(SRGB, tableOfSrgb(1024), [['A2B0', Buffer.alloc(8)]])],
    [
      'a white of its own',
      () =>
        profile(
          SRGB.map((primary) => primary.map((value) => value * 1.1)),
          tableOfSrgb(1024),
        ),
    ],
    ['a primary less', () => profile(SRGB.slice(0, 2), tableOfSrgb(1024))],
    ['other channels', () => profileOf('cmyk')],
    ['nothing in it', () => Buffer.alloc(0)],
    ['zeros in it', () => Buffer.alloc(500)],
  ])('is left to the colour management for a profile with %s', async (_, make) => {
    expect(wayToSrgb(await make())).toEqual({ method: 'managed' });
  });

  test('never throws for a broken or cut profile', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(srgb, p3, profile(P3, tableOfSrgb(64))),
        fc.integer({ min: 1, max: 60 }),
        fc.integer(),
        fc.nat(4000),
        (whole, flips, seed, length) => {
          wayToSrgb(flipBits(whole, flips, seed, 0).subarray(0, length));
        },
      ),
    );
  });
});

describe('matrix conversion to sRGB', () => {
  test('gives the colours of the colour management, except for rounding', async () => {
    const [width, height] = [300, 200];
    const data = await fractalPixels(width, height, 7);
    const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
      .withIccProfile('p3')
      .tiff({ compression: 'none' })
      .toBuffer();
    const managed = await sharp(jpeg).raw().toBuffer();
    const plain = await sharp(jpeg, { ignoreIcc: true }).raw().toBuffer();
    const way = wayToSrgb(p3);
    if (way.method !== 'matrix') throw new Error(`it is ${way.method}`);
    await toSrgb({ data: plain, width, height, channels: 3 }, way.matrix);
    const differences = [...plain].map((level, index) => Math.abs(level - (managed[index] ?? 0)));
    expect(differences.filter((difference) => difference > 4)).toEqual([]);
    expect(differences.reduce((sum, difference) => sum + difference, 0) / differences.length).toBeLessThan(0.5);
  });

  test('keeps grey and alpha', async () => {
    const way = wayToSrgb(p3);
    if (way.method !== 'matrix') throw new Error(`it is ${way.method}`);
    const greys = Array.from({ length: 256 }, (_, level) => [level, level, level, 255 - level]).flat();
    const data = Buffer.from(greys);
    await toSrgb({ data, width: 16, height: 16, channels: 4 }, way.matrix);
    expect(Math.max(...data.map((level, index) => Math.abs(level - (greys[index] ?? 0))))).toBeLessThanOrEqual(1);
    expect(data.filter((_, index) => index % 4 === 3)).toEqual(
      Buffer.from(greys.filter((_, index) => index % 4 === 3)),
    );
  });

  test('converts all pixels, in any number of portions', async () => {
    const way = wayToSrgb(p3);
    if (way.method !== 'matrix') throw new Error(`it is ${way.method}`);
    const pixels = {
      data: Buffer.alloc(600_001 * 3, Buffer.from([200, 40, 40])),
      width: 600_001,
      height: 1,
      channels: 3 as const,
    };
    await toSrgb(pixels, way.matrix);
    expect(pixels.data.subarray(-3)).toEqual(pixels.data.subarray(0, 3));
    expect(pixels.data.readUInt8(0)).toBeGreaterThan(210);
  });
});
