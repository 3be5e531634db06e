import { describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { colourName, seePicture } from '../../../helpers/seen-picture.ts';
import { processPicture, type Processed } from '../../../helpers/process-picture.ts';
import {
  animation,
  hugeClaim,
  movingPng,
  pages,
  quarters,
  transparentPng,
  type PhotoOptions,
} from '../../../helpers/pictures.ts';

const VARIANTS = (['webp', 'jpeg', 'avif', 'png'] as const).map((format) => ({
  name: format,
  longestSide: 60,
  format,
}));

/** Returns the colours of the four quarters of every variant, in reading order. */
async function quartersIn(files: Map<string, Buffer>): Promise<string[][]> {
  return await Promise.all(
    [...files.values()].map(async (bytes) => {
      const seen = await seePicture(bytes);
      return [seen.at(0.25, 0.25), seen.at(0.75, 0.25), seen.at(0.25, 0.75), seen.at(0.75, 0.75)].map(colourName);
    }),
  );
}

/** Writes the four quarters with another encoder setting. */
async function rewritten(write: (image: Sharp) => Sharp): Promise<Buffer> {
  return await write(sharp(await quarters({ format: 'png' }))).toBuffer();
}

/** Removes the segment at the start that names the colour space. Few programs omit it, and viewers do not need it. */
function withoutAdobe(jpeg: Buffer): Buffer {
  const segment = Buffer.from('\u00ff\u00ee\0\u000eAdobe', 'latin1');
  if (jpeg.indexOf(segment) !== 2) throw new Error('this JPEG has no mark of Adobe');
  return Buffer.concat([jpeg.subarray(0, 2), jpeg.subarray(2 + 16)]);
}

const FILES: [name: string, format: string, make: () => Promise<Buffer>][] = [
  ...[{}, { progressive: true }, { colours: 'cmyk' }, { colours: 'grey' }, { profile: 'srgb' }, { profile: 'p3' }].map(
    (more): [string, string, () => Promise<Buffer>] => {
      const options = { format: 'jpeg', ...more } as PhotoOptions;
      return [`JPEG ${JSON.stringify(more)}`, 'jpeg', () => quarters(options)];
    },
  ),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((orientation): [string, string, () => Promise<Buffer>] => [
    `JPEG of orientation ${orientation}`,
    'jpeg',
    () => quarters({ orientation }),
  ]),
  [
    'JPEG without subsampling',
    'jpeg',
    () => rewritten((image) => image.jpeg({ chromaSubsampling: '4:4:4', optimiseCoding: false })),
  ],
  ['JPEG of one colour channel less', 'jpeg', () => rewritten((image) => image.toColourspace('b-w').jpeg())],
  ['JPEG in CMYK without the mark of Adobe', 'jpeg', async () => withoutAdobe(await quarters({ colours: 'cmyk' }))],
  ['PNG', 'png', () => quarters({ format: 'png' })],
  ['PNG, interlaced', 'png', () => quarters({ format: 'png', progressive: true })],
  ['PNG of 16 bits', 'png', () => quarters({ format: 'png', colours: '16-bit' })],
  [
    'PNG of 16 bits with alpha, interlaced',
    'png',
    () => rewritten((image) => image.ensureAlpha().toColourspace('rgb16').png({ progressive: true })),
  ],
  ['PNG with a palette', 'png', () => rewritten((image) => image.png({ palette: true }))],
  [
    'PNG with a palette that has clear places',
    'png',
    () => rewritten((image) => image.extend({ right: 0, background: '#fff0' }).ensureAlpha().png({ palette: true })),
  ],
  ['PNG that moves', 'png', async () => movingPng(await quarters({ format: 'png' }))],
  ['WebP, lossy', 'webp', () => quarters({ format: 'webp' })],
  ['WebP, lossless, with alpha', 'webp', () => rewritten((image) => image.ensureAlpha().webp({ lossless: true }))],
  ['AVIF', 'avif', () => quarters({ format: 'avif' })],
  ['AVIF of 10 bits', 'avif', () => rewritten((image) => image.avif({ bitdepth: 10, effort: 0 }))],
  [
    'AVIF with alpha, lossless',
    'avif',
    () => rewritten((image) => image.ensureAlpha().avif({ lossless: true, effort: 0 })),
  ],
  ['GIF', 'gif', () => quarters({ format: 'gif' })],
  ['GIF, interlaced', 'gif', () => rewritten((image) => image.gif({ progressive: true }))],
  ['TIFF', 'tiff', () => quarters({ format: 'tiff' })],
  ['TIFF of 16 bits', 'tiff', () => quarters({ format: 'tiff', colours: '16-bit' })],
  ['TIFF in CMYK', 'tiff', () => quarters({ format: 'tiff', colours: 'cmyk' })],
  ['TIFF of three pages', 'tiff', () => pages(3)],
  ...(['none', 'deflate', 'packbits', 'jpeg', 'webp'] as const).map(
    (compression): [string, string, () => Promise<Buffer>] => [
      `TIFF, ${compression}`,
      'tiff',
      () => rewritten((image) => image.tiff({ compression })),
    ],
  ),
  ['TIFF in tiles', 'tiff', () => rewritten((image) => image.tiff({ tile: true, tileWidth: 32, tileHeight: 32 }))],
  ['TIFF with pyramid', 'tiff', () => rewritten((image) => image.tiff({ pyramid: true, tile: true }))],
  ['TIFF in its large form', 'tiff', () => rewritten((image) => image.tiff({ bigtiff: true }))],
];

describe('accepted picture formats', () => {
  const done = new Map<string, Promise<Processed>>();
  /** Processes a file once for both tests. */
  const processed = async (name: string, make: () => Promise<Buffer>) => {
    const running = done.get(name) ?? make().then((bytes) => processPicture(bytes, {}, { variants: VARIANTS }));
    done.set(name, running);
    return await running;
  };

  test.each(FILES)('%s is converted upright and in the right colours to every format', async (name, format, make) => {
    const { result, files } = await processed(name, make);
    expect(result).toMatchObject({ format, width: 120, height: 80 });
    const isGrey = /grey|less/.test(name);
    const seen = isGrey ? expect.anything() : ['red', 'green', 'blue', 'white'];
    expect(await quartersIn(files)).toEqual(VARIANTS.map(() => seen));
    expect(result.variants.map(({ width, height }) => [width, height])).toEqual(VARIANTS.map(() => [60, 40]));
  });

  test.each(FILES)('%s leaves no colour profile in its variants', async (name, _, make) => {
    const { files } = await processed(name, make);
    for (const bytes of files.values()) expect((await seePicture(bytes)).metadata.icc).toBeUndefined();
  });
});

describe('transparency', () => {
  test('is kept if the format has alpha, and becomes white otherwise', async () => {
    const { files } = await processPicture(await transparentPng(), {}, { variants: VARIANTS });
    const corners = await Promise.all(
      [...files].map(async ([format, bytes]) => [format, (await seePicture(bytes)).at(0.05, 0.05)] as const),
    );
    expect(Object.fromEntries(corners.map(([format, corner]) => [format, corner[3]]))).toEqual({
      webp: 0,
      avif: 0,
      png: 0,
      jpeg: 255,
    });
    expect(colourName(new Map(corners).get('jpeg') ?? [0, 0, 0, 0])).toBe('white');
  });
});

describe('animated picture', () => {
  test.each(['gif', 'webp'] as const)(
    'stays animated as WebP and becomes its first frame in other formats: %s',
    async (format) => {
      const { result, files } = await processPicture(await animation(format, 4), {}, { variants: VARIANTS });
      expect(result).toMatchObject({
        format,
        frames: 4,
        width: 120,
        height: 80,
        dominantColour: expect.stringMatching(/^#d[cd]00/),
      });
      for (const [name, bytes] of files) {
        const seen = await seePicture(bytes);
        expect([name, seen.metadata.pages ?? 1, seen.width, seen.height, colourName(seen.at(0.5, 0.5))]).toEqual([
          name,
          name === 'webp' ? 4 : 1,
          60,
          40,
          'red',
        ]);
      }
    },
  );

  test('becomes an upright still picture if it would have to be turned', async () => {
    const turned = await sharp(await animation('webp', 3), { animated: true })
      .withMetadata({ orientation: 6 })
      .webp()
      .toBuffer();
    const { result, files } = await processPicture(turned, {}, { variants: VARIANTS });
    expect(result).toMatchObject({ frames: 3, width: 80, height: 120, orientation: 6 });
    const { metadata } = await seePicture(files.get('webp') ?? Buffer.alloc(0));
    expect([metadata.width, metadata.height, metadata.pages ?? 1]).toEqual([40, 60, 1]);
  });
});

test('a colour of a wide colour space is converted to sRGB', async () => {
  const [plain, wide] = await Promise.all(
    [undefined, 'p3' as const].map(async (profile) => {
      const bytes = await quarters({ quality: 100, ...(profile === undefined ? {} : { profile }) });
      const { files } = await processPicture(bytes, {}, { variants: [{ name: 'a', longestSide: 60, format: 'png' }] });
      return (await seePicture(files.get('a') ?? Buffer.alloc(0))).at(0.25, 0.25);
    }),
  );
  plain?.forEach((channel, index) => expect(Math.abs(channel - (wide?.[index] ?? Infinity))).toBeLessThan(12));
});

test('a TIFF with an unknown compression is rejected as unsupported', async () => {
  const bytes = await rewritten((image) => image.tiff({ compression: 'none' }));
  const entry = bytes.indexOf(Buffer.from([0x03, 0x01, 0x03, 0x00]));
  bytes.writeUInt16LE(34_925, entry + 8);
  await expect(processPicture(bytes)).rejects.toMatchObject({
    code: 'picture_unsupported',
    detail: expect.stringContaining('JPEG or PNG'),
  });
});

test('a picture that claims to be huge is rejected before anything is decoded', async () => {
  await expect(processPicture(hugeClaim())).rejects.toMatchObject({ code: 'picture_too_large' });
});
