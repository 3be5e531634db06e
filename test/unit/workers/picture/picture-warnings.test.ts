import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { pictureWarnings } from '../../../../workers/picture/picture-warnings.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { pictureFixture } from '../../../helpers/picture-fixture.ts';
import { animation, photo, quarters } from '../../../helpers/pictures.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { tiffFile } from '../../../helpers/tiff-file.ts';

const OPTIONS = { variants: [{ name: 'a', longestSide: 40, format: 'png' }] };

async function codesOf(bytes: Buffer): Promise<string[]> {
  const { result } = await processPicture(bytes, {}, OPTIONS);
  return (result.warnings ?? []).map(({ code }) => code);
}

/** Adds the chunk that declares an animation of two frames after the header. */
function animatedPng(png: Buffer): Buffer {
  const data = Buffer.from('acTL\0\0\0\x02\0\0\0\0', 'latin1');
  const chunk = Buffer.alloc(data.length + 8);
  chunk.writeUInt32BE(data.length - 4, 0);
  data.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(data), data.length + 4);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

/** Makes the primaries of the profile zero, which maps every colour to black. */
function withBrokenProfile(jpeg: Buffer): Buffer {
  const copy = Buffer.from(jpeg);
  for (let at = copy.indexOf('XYZ \0\0\0\0'); at !== -1; at = copy.indexOf('XYZ \0\0\0\0', at + 8))
    copy.fill(0, at + 8, at + 20);
  return copy;
}

describe('warnings of a picture', () => {
  test('are empty if nothing is left out', async () => {
    expect(await codesOf(await photo({ width: 60, height: 40, orientation: 6, exif: { make: 'Canon' } }))).toEqual([]);
    expect(await codesOf(await photo({ width: 60, height: 40, format: 'png' }))).toEqual([]);
    expect(await codesOf(await animation('gif', 3, 48, 32))).toEqual([]);
  });

  test('name frames that no variant can show', async () => {
    expect(await codesOf(animatedPng(await photo({ width: 60, height: 40, format: 'png' })))).toEqual(['other_frames']);
    expect(await codesOf(await pictureFixture('p06-moving.avif'))).toEqual(['other_frames']);
  });

  test('name further pages of a TIFF and further pictures of a HEIC', async () => {
    const page = tiffFile({ bits: [8, 8, 8], pixel: [10, 20, 30] });
    const { result } = await processPicture(page, {}, OPTIONS);
    const inspected = { isAnimated: false, hasMoreFrames: false, pictures: 1, losesChannels: false, exif: undefined };
    const codes = (change: object) =>
      pictureWarnings({ facts: result, ...inspected, ...change }).map(({ code }) => code);
    expect(codes({})).toEqual([]);
    expect(codes({ facts: { ...result, frames: 3 } })).toEqual(['other_pages']);
    expect(codes({ pictures: 2 })).toEqual(['other_pictures']);
  });

  test('name further pictures of an AVIF, which are no frames', async () => {
    const { result } = await processPicture(await pictureFixture('two-pictures.avif'), {}, OPTIONS);
    expect([result.frames, result.warnings]).toEqual([
      1,
      [{ code: 'other_pictures', message: 'The file has 2 pictures. Only the main one is shown.' }],
    ]);
  });

  test('name spot colours and masks', async () => {
    expect(await codesOf(await pictureFixture('p01-five-channels.tif'))).toContain('channels_left_out');
  });

  test('name EXIF data that cannot be read', async () => {
    const jpeg = await photo({ width: 60, height: 40, exif: { make: 'Canon' } });
    const copy = Buffer.from(jpeg);
    const tiff = copy.indexOf('Exif\0\0') + 6;
    copy.writeUInt32LE(0xffff, tiff + 4);
    copy.writeUInt32BE(0xffff, tiff + 4);
    expect(await codesOf(copy)).toEqual(['exif_unreadable']);
  });

  test('name a profile that is invalid or for other colours', async () => {
    const jpeg = await photo({ width: 60, height: 40, orientation: 1 });
    const garbage = Buffer.from(jpeg);
    garbage.write('nope', garbage.indexOf('acsp'), 'latin1');
    expect(await codesOf(garbage)).toEqual(['profile_ignored']);
    const press = Buffer.from(jpeg);
    press.write('CMYK', press.indexOf('RGB XYZ '), 'latin1');
    expect(await codesOf(press)).toEqual(['profile_ignored']);
  });

  test('name a profile that makes all colours the same, which is ignored', async () => {
    const broken = withBrokenProfile(await quarters({ orientation: 1 }));
    const { result, files } = await processPicture(broken, {}, OPTIONS);
    expect(result.warnings?.map(({ code }) => code)).toEqual(['profile_ignored']);
    const seen = await seePicture(files.get('a') ?? Buffer.alloc(0));
    expect(seen.at(0.25, 0.25)[0]).toBeGreaterThan(200);
    expect(
      seen
        .at(0.75, 0.75)
        .slice(0, 3)
        .every((value) => value > 230),
    ).toBe(true);
  });
});
