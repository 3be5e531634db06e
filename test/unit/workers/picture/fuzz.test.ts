import { Buffer } from 'node:buffer';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { sniffType } from '../../../../src/intake/sniff.ts';
import { HEIC_TYPES, PICTURE_TYPES } from '../../../../src/kinds/picture.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { mutated, mutations } from '../../../helpers/mutated-picture.ts';
import { animation, photo, transparentPng } from '../../../helpers/pictures.ts';
import { pictureFixture } from '../../../helpers/picture-fixture.ts';
import { processPicture } from '../../../helpers/process-picture.ts';

const RUNS_PER_FORMAT = Number(process.env['PICTURE_FUZZ_RUNS'] ?? 20);
const SEED = Number(process.env['PICTURE_FUZZ_SEED'] ?? 20_261_129);

const SIZE = { width: 48, height: 32 };
const OPTIONS = {
  gps: true,
  keepMetadata: true,
  variants: [
    { name: 'png', longestSide: 48, format: 'png' },
    { name: 'webp', longestSide: 24, format: 'webp' },
  ],
};
const EXIF = { date: '2024:05:01 12:30:00', make: 'Canon', gps: true };
const MAX_PIXELS = 1_000_000;
const CONTROL = Buffer.from([0x21, 0xf9, 4]);
/** Counts in the first variant, which is lossless. The smaller one may have one colour without a loss in the file. */
const ONE_COLOUR = 'one colour';
/** The signature and, in a PNG, the header, without which the type is not recognized. */
const HEADER_BYTES = 33;

type Format = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff' | 'heic';

/** Small files of every kind that a format has, none of one colour. */
const MAKERS: Readonly<Record<Format, readonly (() => Promise<Buffer>)[]>> = {
  jpeg: [
    () => photo({ ...SIZE, exif: EXIF, orientation: 6 }),
    () => photo({ ...SIZE, progressive: true }),
    () => photo({ ...SIZE, colours: 'cmyk' }),
    () => photo({ ...SIZE, colours: 'grey' }),
  ],
  png: [
    () => photo({ ...SIZE, format: 'png', exif: EXIF }),
    () => photo({ ...SIZE, format: 'png', progressive: true, colours: '16-bit' }),
    () => transparentPng(48, 32),
    () => pictureFixture('p10-raw-profile-exif.png'),
  ],
  webp: [() => photo({ ...SIZE, format: 'webp', exif: EXIF }), () => animation('webp', 3, 48, 32)],
  avif: [
    () => photo({ ...SIZE, format: 'avif', exif: EXIF }),
    () => pictureFixture('p06-moving.avif'),
    () => pictureFixture('p08-rec2020-pq.avif'),
    () => pictureFixture('p11-grey-limited.avif'),
  ],
  gif: [
    () => photo({ ...SIZE, format: 'gif' }),
    async () => withoutTransparentColour(await animation('gif', 3, 48, 32)),
    () => pictureFixture('p12-first-frame-small.gif'),
  ],
  tiff: [
    () => photo({ ...SIZE, format: 'tiff' }),
    () => photo({ ...SIZE, format: 'tiff', colours: '16-bit' }),
    async () =>
      await sharp(await photo(SIZE))
        .tiff({ compression: 'jpeg', bigtiff: true })
        .toBuffer(),
    async () =>
      await sharp(await photo(SIZE))
        .tiff({ tile: true, tileWidth: 16, tileHeight: 16 })
        .toBuffer(),
    async () =>
      await sharp(await photo(SIZE))
        .ensureAlpha(0.5)
        .tiff({ compression: 'none' })
        .toBuffer(),
  ],
  heic: [() => pictureFixture('phone.heic'), () => pictureFixture('alpha.heic'), () => pictureFixture('deep-p3.heic')],
};

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Original {
  readonly bytes: Buffer;
  /** The outcomes that are no fault. A picture of one colour may stay so. */
  readonly allowed: readonly string[];
}

let originals: Readonly<Record<string, readonly Original[]>>;

beforeAll(async () => {
  const made = Object.entries(MAKERS).map(
    async ([format, makers]) =>
      [format, await Promise.all(makers.map(async (make) => await originalOf(await make())))] as const,
  );
  originals = Object.fromEntries(await Promise.all(made));
});

/** Changes the blocks before the frames. A frame of a transparent colour may be all transparent, which is no loss. */
function withoutTransparentColour(gif: Buffer): Buffer {
  const copy = Buffer.from(gif);
  for (let at = copy.indexOf(CONTROL); at !== -1; at = copy.indexOf(CONTROL, at + 3)) {
    copy.writeUInt8(copy.readUInt8(at + 3) & ~1, at + 3);
  }
  return copy;
}

async function originalOf(bytes: Buffer): Promise<Original> {
  const outcome = await outcomeOf(bytes);
  expect(outcome).toMatch(/^(completed|one colour)$/);
  return { bytes, allowed: ['completed', 'failed', 'rejected', outcome] };
}

/** Returns `rejected`, `failed` with a plain error, `completed`, or a description of the fault. */
async function outcomeOf(bytes: Buffer): Promise<string> {
  const type = await sniffType(bytes);
  if (![...PICTURE_TYPES, ...HEIC_TYPES].some((accepted) => accepted === type)) return 'rejected';
  try {
    const { result, files } = await processPicture(bytes, { maxPixels: MAX_PIXELS }, OPTIONS);
    if (result.variants.length !== OPTIONS.variants.length) return 'a variant is missing';
    const losses = await Promise.all(
      result.variants.map(({ name, ...size }) => lossOf(files.get(name) ?? Buffer.alloc(0), size)),
    );
    return losses[0] ?? losses.find((loss) => loss !== undefined && loss !== ONE_COLOUR) ?? 'completed';
  } catch (error) {
    if (error instanceof UnprocessableError && error.code.startsWith('picture_')) return 'failed';
    return `processing_failed: ${String(error)}`;
  }
}

async function lossOf(file: Buffer, { width, height }: Size): Promise<string | undefined> {
  const { channels, isOpaque } = await sharp(file).stats();
  const metadata = await sharp(file).metadata();
  if (metadata.width !== width || metadata.height !== height) return 'another size';
  if (!isOpaque && channels.at(-1)?.max === 0) return 'all transparent';
  return channels.slice(0, 3).every(({ min, max }) => min === max) && isOpaque ? ONE_COLOUR : undefined;
}

describe('mutated picture', () => {
  test.each(Object.keys(MAKERS))(
    'ends with a picture or a plain error, never with an empty picture or a fault of the service: %s',
    async (format) => {
      const file = fc.tuple(fc.constantFrom(...(originals[format] ?? [])), mutations);
      await fc.assert(
        fc.asyncProperty(file, async ([{ bytes, allowed }, changes]) => {
          expect(allowed).toContain(await outcomeOf(mutated(bytes, changes, HEADER_BYTES)));
        }),
        { numRuns: RUNS_PER_FORMAT, seed: SEED },
      );
    },
  );
});
