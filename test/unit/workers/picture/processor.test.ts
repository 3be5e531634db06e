import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { thumbHashToApproximateAspectRatio, thumbHashToAverageRGBA } from 'thumbhash';
import { createPictureProcessor } from '../../../../workers/picture/processor.ts';
import { runPipeline } from '../../../../workers/pipeline.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { look } from '../../../helpers/look.ts';
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

describe('a picture', () => {
  test('of a camera comes out with all facts and variants', async () => {
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
      expect((await look(bytes)).metadata.exif).toBeUndefined();
    }
  });

  test.each(FORMATS)('of format %s is read, a tiny one too', async (format) => {
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

  test('as thin as a line keeps a width of one', async () => {
    const { result } = await processPicture(await quarters({ width: 2, height: 4000, format: 'png' }));
    expect(result.variants.map(({ width, height }) => [width, height])).toEqual([
      [1, 1600],
      [1, 640],
      [1, 160],
    ]);
  });

  test('gets a thumbhash of its shape and colour', async () => {
    const { result } = await processPicture(await transparentPng(400, 300, '#2060c0'));
    const hash = Buffer.from(result.thumbhash, 'base64');
    expect(thumbHashToApproximateAspectRatio(hash)).toBeCloseTo(4 / 3, 0);
    const { b, r, a } = thumbHashToAverageRGBA(hash);
    expect(b).toBeGreaterThan(r);
    expect(a).toBeLessThan(0.5);
  });

  test('with nothing around it has the colour of what is there', async () => {
    const { result } = await processPicture(await transparentPng(400, 300, '#2060c0'));
    expect(result).toMatchObject({
      hasAlpha: true,
      dominantColour: expect.stringMatching(/^#(?:1f|20|21)(?:5f|60|61)(?:bf|c0|c1)$/),
    });
  });

  test('that moves gives its first frame and the number of all', async () => {
    const { result } = await processPicture(await animation('gif', 5));
    expect(result).toMatchObject({ format: 'gif', frames: 5, width: 120, height: 80, dominantColour: '#dc001e' });
  });
});

describe('progress', () => {
  test('names the steps in order and never goes back', async () => {
    const { reports } = await processPicture(await photo({ width: 300, height: 200 }));
    expect([...new Set(reports.map((report) => report.stage))]).toEqual(['inspect', 'decode', 'variants']);
    const fractions = reports.map((report) => report.fraction);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  });

  test('goes by what the steps cost for this picture', async () => {
    const at = async (stage: string, bytes: Buffer, options: unknown = {}) =>
      (await processPicture(bytes, {}, options)).reports.find((report) => report.stage === stage)?.fraction ?? 0;
    const small = [{ name: 'a', longestSide: 64, format: 'jpeg' }];
    const avif = await photo({ width: 900, height: 600, format: 'avif' });
    // Nearly all of it is reading the slowest format, or writing it.
    expect(await at('variants', avif, { variants: small })).toBeGreaterThan(0.85);
    expect(
      await at('variants', await photo({ width: 900, height: 600 }), {
        variants: [{ ...small[0], longestSide: 900, format: 'avif' }],
      }),
    ).toBeLessThan(0.2);
  });
});

describe('a file that no retry will mend', () => {
  test.each(FORMATS)('a cut %s fails as damaged, in words for people', async (format) => {
    const error: unknown = await processPicture(cutShort(await photo({ width: 300, height: 200, format }), 0.6)).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({
      code: 'picture_damaged',
      detail: expect.stringMatching(/^(?!.*(?:vips|heif|\/|libpng)).*\.$/i),
    });
  });

  test('a cut JPEG is called cut', async () => {
    const run = processPicture(cutShort(await photo({ width: 300, height: 200 }), 0.6));
    await expect(run).rejects.toMatchObject({
      detail: 'The picture is cut short: the end of the file is missing. Send the whole file again.',
    });
  });

  test('a text is called no picture', async () => {
    await expect(processPicture(textAsJpeg())).rejects.toMatchObject({
      code: 'picture_damaged',
      detail: expect.stringContaining('not a picture'),
    });
  });

  test('whichever bits are turned over, there is a result or a refusal in words, nothing else', async () => {
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

describe('a cancel', () => {
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
    'during %s ends the run with its reason and nothing published',
    async (stage) => {
      const { error, published, stages } = await cancelledAt(stage, await photo({ width: 300, height: 200 }));
      expect(error).toMatchObject({ message: 'cancelled' });
      expect(published).toEqual([]);
      expect(stages.at(-1)).toBe(stage);
    },
  );

  test('comes before the damage of the file that it disturbed', async () => {
    const { error } = await cancelledAt('decode', cutShort(await photo({ width: 300, height: 200 })));
    expect(error).toMatchObject({ message: 'cancelled' });
  });
});
