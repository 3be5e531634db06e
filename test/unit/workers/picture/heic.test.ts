import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { createHeicReader } from '../../../../workers/picture/heic/heic-reader.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { claimedHeic, heicFile, heicHead, HEIC_COLOURS, mirroredHeic } from '../../../helpers/heic-files.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { cutShort, flipBits } from '../../../helpers/pictures.ts';
import { HEIC_THREAD, processPicture, withFile } from '../../../helpers/process-picture.ts';

const [TOP_LEFT, TOP_RIGHT, BOTTOM_LEFT, BOTTOM_RIGHT] = HEIC_COLOURS;
const PLAIN = { variants: [{ name: 'a', longestSide: 200, format: 'png' }], gps: true };

/** Returns the colours in the middle of each quarter of the only variant. */
async function quartersOf(bytes: Buffer): Promise<number[][]> {
  return await quartersIn((await processPicture(bytes, {}, PLAIN)).files);
}

async function quartersIn(files: ReadonlyMap<string, Buffer>): Promise<number[][]> {
  const seen = await seePicture(files.get('a') ?? Buffer.alloc(0));
  return [
    [0.25, 0.25],
    [0.75, 0.25],
    [0.25, 0.75],
    [0.75, 0.75],
  ].map(([x = 0, y = 0]) => seen.at(x, y).slice(0, 3));
}

function expectColours(found: readonly number[][], wanted: readonly (readonly number[])[]): void {
  const differences = found.flatMap((colour, quarter) =>
    colour.map((value, channel) => Math.abs(value - (wanted[quarter]?.[channel] ?? -1))),
  );
  expect(Math.max(...differences)).toBeLessThanOrEqual(4);
}

async function errorOf(bytes: Buffer, limits = {}): Promise<unknown> {
  return await processPicture(bytes, limits).then(
    () => 'completed',
    (error: unknown) => error,
  );
}

describe('HEIC', () => {
  test('returns the facts and the upright size of a picture of a phone', async () => {
    const { result } = await processPicture(heicFile('phone'), {}, PLAIN);
    expect(result).toMatchObject({
      format: 'heic',
      width: 64,
      height: 96,
      frames: 1,
      hasAlpha: false,
      orientation: 1,
      takenAt: '2024-05-01T12:30:00',
      camera: 'Apple iPhone 15',
      gps: { latitude: 52.5, longitude: 13.4 },
      variants: [{ name: 'a', width: 64, height: 96 }],
    });
  });

  test('applies the rotation of the container once, although the EXIF repeats it', async () => {
    expectColours(await quartersOf(heicFile('phone')), [BOTTOM_LEFT, TOP_LEFT, BOTTOM_RIGHT, TOP_RIGHT]);
  });

  test('applies the mirroring of the container', async () => {
    expectColours(await quartersOf(mirroredHeic()), [TOP_RIGHT, TOP_LEFT, BOTTOM_RIGHT, BOTTOM_LEFT]);
  });

  test('keeps transparency', async () => {
    const { result, files } = await processPicture(heicFile('alpha'), {}, PLAIN);
    expect(result.hasAlpha).toBe(true);
    const [red, green, blue, alpha] = (await seePicture(files.get('a') ?? Buffer.alloc(0))).at(0.25, 0.25);
    expectColours([[red, green, blue]], [TOP_LEFT]);
    expect(alpha).toBe(127);
  });

  test('converts ten bits in Display P3 to sRGB', async () => {
    const [red = []] = await quartersOf(heicFile('deep-p3'));
    // Computed from the definitions of both colour spaces.
    expectColours([red], [[219, 0, 26]]);
  });

  test('tone-maps PQ and keeps its transparency', async () => {
    const { result, files } = await processPicture(heicFile('pq'), {}, PLAIN);
    // White has 203 cd/m², as in an AVIF.
    expectColours(await quartersIn(files), [
      [191, 191, 191],
      [255, 255, 255],
      [246, 0, 0],
      [61, 61, 61],
    ]);
    expect(result.hasAlpha).toBe(true);
    const seen = await seePicture(files.get('a') ?? Buffer.alloc(0));
    expect([seen.at(0.25, 0.25)[3], seen.at(0.75, 0.25)[3]]).toEqual([255, 128]);
  });

  test('tone-maps HLG', async () => {
    expectColours(await quartersOf(heicFile('hlg')), [
      [191, 191, 191],
      [255, 255, 255],
      [232, 0, 0],
      [74, 74, 74],
    ]);
  });

  test('shows the tiles of an iPhone upright, without its gain map, depth, matte and thumbnail', async () => {
    const { result, files } = await processPicture(heicFile('grid'), {}, PLAIN);
    expect(result).toMatchObject({ width: 100, height: 120, frames: 1, hasAlpha: false, orientation: 1 });
    expect(result).toMatchObject({ camera: 'Apple iPhone 15 Pro', takenAt: '2024-05-01T12:30:00' });
    // The colours of `HEIC_COLOURS` from Display P3 to sRGB.
    expectColours(await quartersIn(files), [
      [0, 163, 40],
      [218, 0, 26],
      [232, 220, 55],
      [44, 72, 208],
    ]);
  });

  test('rejects a picture with too many pixels before it is decoded', async () => {
    expect(await errorOf(heicFile('phone'), { maxPixels: 96 * 64 - 1 })).toMatchObject({
      code: 'picture_too_large',
      detail: expect.stringContaining('64 × 96 pixels') as unknown,
    });
    expect(await errorOf(claimedHeic(60_000, 60_000))).toMatchObject({ code: 'picture_too_large' });
  });

  test.each([
    ['smaller', 8, 8],
    ['larger', 4000, 3000],
  ])('rejects a picture whose description claims a %s size', async (_, width, height) => {
    expect(await errorOf(claimedHeic(width, height))).toMatchObject({
      code: expect.stringMatching(/^picture_(?:damaged|too_large)$/) as unknown,
    });
  });

  test.each([0.05, 0.5, 0.95])('rejects a file that was cut at the share %d of its bytes as damaged', async (share) => {
    expect(await errorOf(cutShort(heicFile('phone'), share))).toMatchObject({ code: 'picture_damaged' });
  });

  test('rejects a file without a picture as damaged, with a plain detail', async () => {
    expect(await errorOf(heicHead())).toMatchObject({
      code: 'picture_damaged',
      detail: expect.stringMatching(/^(?!.*(?:heif|box|error)).*\.$/i) as unknown,
    });
  });

  test('ends with a result or a plain error, whichever bits are flipped', async () => {
    const original = heicFile('phone');
    for (let seed = 1; seed <= 4; seed += 1) {
      const outcome = await errorOf(flipBits(original, 1 + (seed % 6), seed, 24));
      if (outcome !== 'completed') expect(outcome).toBeInstanceOf(UnprocessableError);
    }
  });

  test.each([
    ['blames the file if the library ends the thread', 'process.exit(3)', { code: 'picture_damaged' }],
    ['does not blame the file if the library is missing', "import 'no-such-package'", { name: 'TypeError' }],
  ])('%s', async (_, program, error) => {
    const reader = createHeicReader(new URL(`data:text/javascript,${program}`));
    const bounds = { maxPixels: 1e8, maxSeconds: 60, signal: new AbortController().signal };
    const reading = withFile(heicFile('phone'), async (path) => await reader.pixels(path, bounds, false));
    await expect(reading).rejects.toMatchObject(error);
  });

  test('ends its thread at the time limit and when the upload is cancelled', async () => {
    const reader = createHeicReader(HEIC_THREAD);
    await withFile(heicFile('phone'), async (path) => {
      const bounds = { maxPixels: 1e8, maxSeconds: 60, signal: new AbortController().signal };
      await expect(reader.pixels(path, { ...bounds, maxSeconds: 0 }, false)).rejects.toThrow(/^timeout: /);
      const controller = new AbortController();
      const reading = reader.pixels(path, { ...bounds, signal: controller.signal }, false);
      controller.abort(new Error('cancelled'));
      await expect(reading).rejects.toThrow(/cancel|abort/);
    });
  });
});
