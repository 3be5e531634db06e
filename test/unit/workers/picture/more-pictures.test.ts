import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { picturesIn } from '../../../../workers/picture/structure/more-pictures.ts';
import { photo } from '../../../helpers/pictures.ts';
import { processPicture } from '../../../helpers/process-picture.ts';

/** Types of pictures in the index (CIPA DC-007, table 4). Phones give HDR gain maps the type 0. */
const [GAIN_MAP, PREVIEW, PANORAMA, STEREO, ANGLE, PRIMARY] = [0, 0x1_0002, 0x2_0001, 0x2_0002, 0x2_0003, 0x3_0000];

/** Returns the content of an APP2 segment with the index of such pictures. */
function indexOf(types: readonly number[], isLittle = true): Buffer {
  const [short, long] = isLittle
    ? (['writeUInt16LE', 'writeUInt32LE'] as const)
    : (['writeUInt16BE', 'writeUInt32BE'] as const);
  const tiff = Buffer.alloc(8 + 2 + 12 + 4 + 16 * types.length);
  tiff.write(isLittle ? 'II' : 'MM', 'latin1');
  tiff[short](42, 2);
  tiff[long](8, 4);
  tiff[short](1, 8);
  tiff[short](0xb002, 10);
  tiff[short](7, 12);
  tiff[long](16 * types.length, 14);
  tiff[long](26, 18);
  types.forEach((type, index) => tiff[long](type, 26 + 16 * index));
  return Buffer.concat([Buffer.from('MPF\0'), tiff]);
}

async function warningsOf(types: readonly number[]): Promise<unknown> {
  const [first, second] = [await photo({ width: 80, height: 60 }), await photo({ width: 40, height: 30 })];
  const index = indexOf(types);
  const header = Buffer.from([0xff, 0xe2, 0, index.length + 2]);
  const file = Buffer.concat([first.subarray(0, 2), header, index, first.subarray(2), second]);
  return (await processPicture(file, {}, { variants: [] })).result.warnings;
}

describe('JPEG with several pictures', () => {
  test('has the warning other_pictures if the second one is another view', async () => {
    const message = 'The file has 2 pictures. Only the main one is shown.';
    expect(await warningsOf([STEREO, STEREO])).toEqual([{ code: 'other_pictures', message }]);
  });

  test('has no warning if the others are an HDR gain map and a preview', async () => {
    expect(await warningsOf([PRIMARY, GAIN_MAP, PREVIEW])).toEqual([]);
  });

  test.each([
    [[PRIMARY], 1],
    [[PANORAMA, PANORAMA, PANORAMA], 3],
    [[PRIMARY, ANGLE, PREVIEW], 2],
    [[], 1],
  ])('with the types %j has %d pictures in both byte orders', (types, pictures) => {
    expect([picturesIn(indexOf(types)), picturesIn(indexOf(types, false))]).toEqual([pictures, pictures]);
  });

  test('is read without an error from a damaged index', () => {
    const whole = indexOf([STEREO, STEREO]);
    for (let bytes = 0; bytes < whole.length; bytes += 1) {
      const cut = picturesIn(whole.subarray(0, bytes));
      expect(cut).toBe(bytes < 4 ? undefined : 1);
      const flipped = Buffer.from(whole);
      flipped[bytes] = 0xff;
      expect(() => picturesIn(flipped)).not.toThrow();
    }
  });
});
