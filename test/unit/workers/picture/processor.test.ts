import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { thumbHashToApproximateAspectRatio, thumbHashToAverageRGBA } from 'thumbhash';
import { createPictureProcessor } from '../../../../workers/picture/processor.ts';
import { runPipeline } from '../../../../workers/pipeline.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { fakeContext, processPicture, withFile } from '../../../helpers/process-picture.ts';
import {
  animation,
  cutShort,
  flipBits,
  photo,
  quarters,
  textAsJpeg,
  tinyPicture,
  transparentPng,
  type PhotoFormat,
} from '../../../helpers/pictures.ts';

const FORMATS: PhotoFormat[] = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'];

describe('picture processor', () => {
  test('returns all facts and variants of a camera picture', async () => {
    const exif = { date: '2024:05:01 12:30:00', offset: '+02:00', make: 'Canon', model: 'Canon EOS R5', gps: true };
    const { result, files } = await processPicture(await photo({ width: 1500, height: 2000, orientation: 6, exif }));
    expect(result).toMatchObject({
      kind: 'picture',
      format: 'jpeg',
      width: 1500,
      height: 2000,
      frames: 1,
      hasAlpha: false,
      colourSpace: 'srgb',
      orientation: 6,
      takenAt: '2024-05-01T12:30:00+02:00',
      camera: 'Canon EOS R5',
      dominantColour: expect.stringMatching(/^#[0-9a-f]{6}$/),
    });
    expect(result.variants.map(({ name, format, width, height, url }) => [name, format, width, height, url])).toEqual([
      ['1600', 'webp', 1200, 1600, '/variants/public/1600'],
      ['640', 'webp', 480, 640, '/variants/public/640'],
      ['160', 'jpeg', 120, 160, '/variants/public/160'],
    ]);
    for (const bytes of files.values()) {
      expect((await seePicture(bytes)).metadata.exif).toBeUndefined();
    }
  });

  test.each(FORMATS)('reads format %s, also in a tiny size', async (format) => {
    expect((await processPicture(await photo({ width: 200, height: 100, format }))).result).toMatchObject({
      format,
      width: 200,
      height: 100,
    });
    const { result } = await processPicture(await tinyPicture(format));
    expect(result.variants.map(({ width, height }) => [width, height])).toEqual([
      [6, 4],
      [6, 4],
      [6, 4],
    ]);
  });

  test('keeps a width of one pixel for a very narrow picture', async () => {
    const { result } = await processPicture(await quarters({ width: 2, height: 4000, format: 'png' }));
    expect(result.variants.map(({ width, height }) => [width, height])).toEqual([
      [1, 1600],
      [1, 640],
      [1, 160],
    ]);
  });

  test('returns a thumbhash with the shape and colour of the picture', async () => {
    const { result } = await processPicture(await transparentPng(400, 300, '#2060c0'));
    const hash = Buffer.from(result.thumbhash, 'base64');
    expect(thumbHashToApproximateAspectRatio(hash)).toBeCloseTo(4 / 3, 0);
    const { b, r, a } = thumbHashToAverageRGBA(hash);
    expect(b).toBeGreaterThan(r);
    expect(a).toBeLessThan(0.5);
  });

  test('ignores transparent surroundings for the dominant colour', async () => {
    const { result } = await processPicture(await transparentPng(400, 300, '#2060c0'));
    expect(result).toMatchObject({
      hasAlpha: true,
      dominantColour: expect.stringMatching(/^#(?:1f|20|21)(?:5f|60|61)(?:bf|c0|c1)$/),
    });
  });

  test('returns the first frame and the number of frames of an animation', async () => {
    const { result } = await processPicture(await animation('gif', 5));
    expect(result).toMatchObject({ format: 'gif', frames: 5, width: 120, height: 80, dominantColour: '#dc001e' });
  });
});

describe('progress of a picture', () => {
  test('names the steps in order and never goes back', async () => {
    const { reports } = await processPicture(await photo({ width: 300, height: 200 }));
    expect([...new Set(reports.map((report) => report.stage))]).toEqual(['inspect', 'decode', 'variants']);
    const fractions = reports.map((report) => report.fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  });

  test('is weighted by the costs of this picture', async () => {
    const at = async (stage: string, bytes: Buffer, options: unknown = {}) =>
      (await processPicture(bytes, {}, options)).reports.find((report) => report.stage === stage)?.fraction ?? 0;
    const small = [{ name: 'a', longestSide: 64, format: 'jpeg' }];
    const avif = await photo({ width: 900, height: 600, format: 'avif' });
    // Nearly all of the cost is reading or writing the slowest format.
    expect(await at('variants', avif, { variants: small })).toBeGreaterThan(0.85);
    expect(
      await at('variants', await photo({ width: 900, height: 600 }), {
        variants: [{ ...small[0], longestSide: 900, format: 'avif' }],
      }),
    ).toBeLessThan(0.2);
  });
});

describe('damaged picture', () => {
  test.each(FORMATS)('rejects a truncated %s as damaged, with a plain detail', async (format) => {
    const error: unknown = await processPicture(cutShort(await photo({ width: 300, height: 200, format }), 0.6)).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({
      code: 'picture_damaged',
      detail: expect.stringMatching(/^(?!.*(?:vips|heif|\/|libpng)).*\.$/i),
    });
  });

  test('says that a truncated JPEG is incomplete', async () => {
    const run = processPicture(cutShort(await photo({ width: 300, height: 200 }), 0.6));
    await expect(run).rejects.toMatchObject({
      detail: 'The picture is incomplete: the end of the file is missing. Upload the whole file again.',
    });
  });

  test('says that a text is not a picture', async () => {
    await expect(processPicture(textAsJpeg())).rejects.toMatchObject({
      code: 'picture_damaged',
      detail: expect.stringContaining('not a picture'),
    });
  });

  test('ends with a result or a plain error if any bits are flipped', async () => {
    const originals = await Promise.all(FORMATS.map(async (format) => await photo({ width: 48, height: 32, format })));
    const damaged = fc.tuple(fc.constantFrom(...originals), fc.integer({ min: 1, max: 30 }), fc.integer());
    await fc.assert(
      fc.asyncProperty(damaged, async ([original, flips, seed]) => {
        const outcome: unknown = await processPicture(flipBits(original, flips, seed)).catch(
          (reason: unknown) => reason,
        );
        expect(outcome instanceof UnprocessableError || !(outcome instanceof Error)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('cancel of a picture', () => {
  async function cancelledAt(
    stage: string,
    bytes: Buffer,
  ): Promise<{ error: unknown; published: string[]; stages: string[] }> {
    return await withFile(bytes, async (path) => {
      const controller = new AbortController();
      const context = fakeContext(path, controller.signal);
      const stages: string[] = [];
      const report = (report: { stage: string }) => {
        stages.push(report.stage);
        if (report.stage === stage) {
          controller.abort(new Error('cancelled'));
        }
      };
      const error: unknown = await runPipeline(createPictureProcessor(), context, { report }).catch(
        (reason: unknown) => reason,
      );
      return { error, published: [...context.files.keys()], stages };
    });
  }

  test.each(['inspect', 'decode', 'variants'])(
    'during %s rejects with its reason and publishes nothing',
    async (stage) => {
      const { error, published, stages } = await cancelledAt(stage, await photo({ width: 300, height: 200 }));
      expect(error).toMatchObject({ message: 'cancelled' });
      expect(published).toEqual([]);
      expect(stages.at(-1)).toBe(stage);
    },
  );

  test('is reported before the damage that it caused in reading', async () => {
    const { error } = await cancelledAt('decode', cutShort(await photo({ width: 300, height: 200 })));
    expect(error).toMatchObject({ message: 'cancelled' });
  });
});
