import type { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { pictureKind } from '../../../../src/kinds/picture.ts';
import type { PictureOptions } from '../../../../src/kinds/picture-options.ts';
import { inspect } from '../../../../workers/picture/inspect.ts';
import type { PictureLimits } from '../../../../workers/picture/limits.ts';
import { createPictureState, type PictureFacts, type PictureState } from '../../../../workers/picture/state.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { fakeContext, pictureTools, uploadOf, withFile } from '../../../helpers/process-picture.ts';
import {
  animation,
  cutShort,
  pages,
  hugeClaim,
  photo,
  quarters,
  textAsJpeg,
  transparentPng,
  type PhotoFormat,
} from '../../../helpers/pictures.ts';

async function inspected(
  bytes: Buffer,
  options: unknown = {},
  limits: Partial<PictureLimits> = {},
): Promise<PictureState> {
  return await withFile(bytes, async (path) => {
    const state = createPictureState();
    await inspect(pictureTools(limits), readOptions)(state, {
      ...fakeContext(path),
      upload: await uploadOf(bytes, options),
    });
    return state;
  });
}

function readOptions(options: unknown): PictureOptions {
  return pictureKind().options.parse(options);
}

async function factsOf(bytes: Buffer, limits: Partial<PictureLimits> = {}): Promise<PictureFacts> {
  return (await inspected(bytes, {}, limits)).facts.get();
}

describe('facts of a picture', () => {
  test.each<PhotoFormat>(['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'])(
    'include format and size: %s',
    async (format) => {
      expect(await factsOf(await photo({ width: 90, height: 60, format }))).toMatchObject({
        format,
        width: 90,
        height: 60,
        frames: 1,
      });
    },
  );

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('give the size after orientation %i', async (orientation) => {
    const facts = await factsOf(await quarters({ width: 120, height: 80, orientation }));
    expect(facts).toMatchObject({ width: 120, height: 80, orientation });
  });

  test('include date and camera', async () => {
    const exif = { date: '2023:07:09 08:05:00', offset: '-03:00', make: 'FUJIFILM', model: 'X-T5' };
    expect(await factsOf(await photo({ width: 60, height: 40, exif }))).toMatchObject({
      takenAt: '2023-07-09T08:05:00-03:00',
      camera: 'FUJIFILM X-T5',
      orientation: 1,
    });
  });

  test('are null, and 1 for the orientation, if the file has no values', async () => {
    expect(await factsOf(await photo({ width: 60, height: 40 }))).toMatchObject({
      takenAt: null,
      camera: null,
      lens: null,
      exposure: null,
      orientation: 1,
    });
  });

  test('include lens and exposure', async () => {
    const exif = { lens: 'XF35mmF1.4 R', seconds: '1/8000', fNumber: '14/10', iso: '400', focalLength: '35/1' };
    expect(await factsOf(await photo({ width: 60, height: 40, exif }))).toMatchObject({
      lens: 'XF35mmF1.4 R',
      exposure: { timeMs: 0.125, fNumber: 1.4, iso: 400, focalLengthMm: 35 },
    });
  });

  test('include the position only if the options request it', async () => {
    const withPosition = await photo({ width: 60, height: 40, exif: { gps: true } });
    expect(await factsOf(withPosition)).not.toHaveProperty('gps');
    const berlin = { latitude: 52.5166667, longitude: 13.4, altitudeM: null };
    expect((await inspected(withPosition, { gps: true })).facts.get()).toMatchObject({ gps: berlin });
    expect((await inspected(await photo({ width: 60, height: 40 }), { gps: true })).facts.get()).toMatchObject({
      gps: null,
    });
  });

  test('count the frames of an animation', async () => {
    expect(await factsOf(await animation('gif', 4))).toMatchObject({ frames: 4, width: 120, height: 80 });
    expect(await factsOf(await animation('webp', 3))).toMatchObject({ frames: 3, width: 120, height: 80 });
  });

  test('include transparency and colour space', async () => {
    expect(await factsOf(await transparentPng())).toMatchObject({ hasAlpha: true, colourSpace: 'srgb' });
    expect(await factsOf(await quarters({ colours: 'cmyk' }))).toMatchObject({ hasAlpha: false, colourSpace: 'cmyk' });
    expect(await factsOf(await quarters({ colours: 'grey' }))).toMatchObject({ hasAlpha: false, colourSpace: 'b-w' });
    expect(await factsOf(await quarters({ colours: '16-bit', format: 'png' }))).toMatchObject({ colourSpace: 'rgb16' });
  });
});

describe('inspect', () => {
  test('rejects a huge size in the header before decoding, and names the size and the limit', async () => {
    const error: unknown = await factsOf(hugeClaim()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({
      code: 'picture_too_large',
      detail: expect.stringMatching(/^The picture has 100,000 × 100,000 pixels\. At most 100,000,000 pixels in total/),
    });
  });

  test('rejects a picture with one pixel more than the limit', async () => {
    expect(await factsOf(await quarters({ width: 20, height: 10 }), { maxPixels: 200 })).toMatchObject({ width: 20 });
    await expect(factsOf(await quarters({ width: 67, height: 3 }), { maxPixels: 200 })).rejects.toMatchObject({
      code: 'picture_too_large',
    });
  });

  test('rejects variants that cost too much before decoding, counting all frames', async () => {
    const still = await photo({ width: 400, height: 250 });
    const moving = await animation('gif', 4, 100, 100);
    const variants = ['webp', 'avif'].map((format) => ({ name: format, longestSide: 400, format }));
    const outcome = async (bytes: Buffer, maxOutputPixels: number) =>
      await inspected(bytes, { variants }, { maxOutputPixels }).then(
        () => 'taken',
        (error: unknown) => error,
      );
    expect(await outcome(still, 500_000)).toBe('taken');
    expect(await outcome(still, 499_999)).toMatchObject({
      code: 'picture_too_costly',
      detail:
        'The variants have 500,000 pixels, weighted by the cost of their formats. At most 499,999 are allowed. ' +
        'Ask for fewer or smaller variants, or for WebP instead of AVIF or PNG.',
    });
    expect(await outcome(moving, 80_000)).toBe('taken');
    expect(await outcome(moving, 79_999)).toMatchObject({ code: 'picture_too_costly' });
  });

  test('rejects too many frames or pages, and too many pixels of all frames', async () => {
    const moving = await animation('gif', 5, 20, 10);
    expect((await inspected(moving, {}, { maxFrames: 5, maxPixels: 250 })).plan.get().variants[0]?.isAnimated).toBe(
      true,
    );
    await expect(factsOf(moving, { maxFrames: 4 })).rejects.toMatchObject({
      code: 'picture_too_large',
      detail:
        'The picture has more than 4 frames or pages. Shorten the animation, or upload the pages as separate files.',
    });
    await expect(factsOf(moving, { maxPixels: 249 })).rejects.toMatchObject({
      code: 'picture_too_large',
      detail: expect.stringContaining('5 frames of 20 × 10 pixels. At most 996'),
    });
    await expect(factsOf(await pages(6), { maxFrames: 5 })).rejects.toMatchObject({ code: 'picture_too_large' });
    // Only the first page is read, so the pixels of the others do not count.
    expect(await factsOf(await pages(6), { maxPixels: 9600 })).toMatchObject({ format: 'tiff', frames: 6 });
  });

  test('rejects a file that continues in another format than its first bytes', async () => {
    const bytes = await quarters({ format: 'png' });
    const step = inspect(pictureTools(), readOptions);
    const run = withFile(
      bytes,
      async (path) =>
        await step(createPictureState(), { ...fakeContext(path), upload: await uploadOf(await quarters()) }),
    );
    await expect(run).rejects.toMatchObject({
      code: 'picture_damaged',
      detail: expect.stringContaining('one picture format'),
    });
  });

  test('rejects text, an empty file and a file that ends in its header', async () => {
    for (const bytes of [
      textAsJpeg(),
      textAsJpeg().subarray(0, 0),
      cutShort(await quarters({ format: 'png' }), 0.02),
    ]) {
      await expect(factsOf(bytes)).rejects.toMatchObject({ name: 'UnprocessableError', code: 'picture_damaged' });
    }
  });
});

test('a missing file is an error of the service, not of the sender', async () => {
  const run = inspect(pictureTools(), readOptions)(createPictureState(), fakeContext('/nowhere/original'));
  await expect(run).rejects.not.toBeInstanceOf(UnprocessableError);
});
