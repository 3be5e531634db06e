import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import type { PictureFormat } from '../../../../src/kinds/picture-options.ts';
import { exifFacts, exifPosition } from '../../../../workers/picture/exif.ts';
import { keptExif } from '../../../../workers/picture/kept-exif.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { animation, photo } from '../../../helpers/pictures.ts';

const EXIF = {
  date: '2024:05:01 12:30:00',
  offset: '+02:00',
  make: 'Canon',
  model: 'EOS R5',
  artist: 'A. Sender',
  copyright: '2024 A. Sender',
  lens: 'RF50mm F1.8',
  seconds: '1/125',
  fNumber: '28/10',
  iso: '400',
  focalLength: '50/1',
  gps: true,
};

async function exifOf(format: PictureFormat, options: object): Promise<Buffer | undefined> {
  const variants = [{ name: 'a', longestSide: 64, format }];
  const original = await photo({ width: 90, height: 60, orientation: 6, exif: EXIF });
  const { files } = await processPicture(original, {}, { variants, ...options });
  return (await seePicture(files.get('a') ?? Buffer.alloc(0))).metadata.exif;
}

describe('metadata of a variant', () => {
  test.each<PictureFormat>(['jpeg', 'webp', 'avif', 'png'])(
    'is absent in %s unless it is requested',
    async (format) => {
      expect(await exifOf(format, { gps: true })).toBeUndefined();
    },
  );

  test.each<PictureFormat>(['jpeg', 'webp', 'avif', 'png'])(
    'in %s has date, camera, lens, exposure, author and copyright, and never the position',
    async (format) => {
      const block = await exifOf(format, { keepMetadata: true, gps: true });
      expect(exifFacts(block)).toEqual({
        takenAt: '2024-05-01T12:30:00+02:00',
        camera: 'Canon EOS R5',
        lens: 'RF50mm F1.8',
        exposure: { timeMs: 8, fNumber: 2.8, iso: 400, focalLengthMm: 50 },
      });
      expect(keptExif(block).IFD0).toMatchObject({ Artist: 'A. Sender', Copyright: '2024 A. Sender' });
      expect(exifPosition(block)).toBeNull();
    },
  );

  test('is written into animations too, and never has the position', async () => {
    const positioned = {
      IFD0: { Model: 'R5' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 31/1 0/1', GPSLongitudeRef: 'E', GPSLongitude: '13/1 24/1 0/1' },
    };
    const moving = await sharp(await animation('webp', 3), { animated: true })
      .withExif(positioned)
      .webp()
      .toBuffer();
    expect(exifPosition((await seePicture(moving)).metadata.exif)).not.toBeNull();
    const { files } = await processPicture(
      moving,
      {},
      { variants: [{ name: 'a', longestSide: 64 }], keepMetadata: true, gps: true },
    );
    const { metadata } = await seePicture(files.get('a') ?? Buffer.alloc(0));
    expect(metadata.pages).toBe(3);
    expect(exifFacts(metadata.exif)).toMatchObject({ camera: 'R5' });
    expect([exifPosition(metadata.exif), metadata.xmp]).toEqual([null, undefined]);
  });

  test('does not turn an upright picture again', async () => {
    const { files } = await processPicture(
      await photo({ width: 60, height: 90, orientation: 6, exif: EXIF }),
      {},
      { keepMetadata: true },
    );
    for (const bytes of files.values()) {
      const { metadata } = await seePicture(bytes);
      expect([metadata.orientation ?? 1, metadata.width, metadata.height]).toEqual([1, 60, 90]);
    }
  });
});

test('the kept EXIF data is empty for an absent or broken block', () => {
  for (const block of [undefined, Buffer.from('Exif\0\0II*\0'), Buffer.alloc(0)])
    expect(keptExif(block)).toEqual({ IFD0: {}, IFD2: {} });
});
