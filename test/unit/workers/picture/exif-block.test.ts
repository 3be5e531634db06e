import { Buffer } from 'node:buffer';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { exifFacts, exifPosition } from '../../../../workers/picture/exif.ts';
import { readExifBlock } from '../../../../workers/picture/exif-block.ts';
import { readExif } from '../../../../workers/picture/exif-directory.ts';
import { GPS, IMAGE, PHOTO } from '../../../../workers/picture/exif-tags.ts';
import { exifBlock } from '../../../helpers/exif-block.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { pictureFixture } from '../../../helpers/picture-fixture.ts';
import { flipBits, pngChunk, quarters } from '../../../helpers/pictures.ts';
import { processPicture, withFile } from '../../../helpers/process-picture.ts';

const CAMERA = { takenAt: '2024-05-01T12:30:00', camera: 'Canon EOS R5' };
const PLACE = { latitude: 52.5, longitude: 13.25, altitudeM: null };

/** The block without the prefix that a JPEG has is a TIFF without pixels. */
const block = exifBlock(
  { make: 'Canon', model: 'Canon EOS R5', taken: '2024:05:01 12:30:00' },
  {
    photo: { [PHOTO.exposureTime]: [1, 125], [PHOTO.sensitivity]: 400 },
    gps: {
      [GPS.latitudeRef]: 'N',
      [GPS.latitude]: [
        [52, 1],
        [30, 1],
        [0, 1],
      ],
      [GPS.longitudeRef]: 'E',
      [GPS.longitude]: [
        [13, 1],
        [15, 1],
        [0, 1],
      ],
    },
  },
).subarray(6);

async function blockOf(bytes: Buffer, format: string): Promise<Buffer | undefined> {
  return await withFile(
    bytes,
    async (path) => await readExifBlock(path, `image/${format}`, new AbortController().signal),
  );
}

const chunkOf = (type: string, ...parts: (string | Buffer)[]) =>
  pngChunk(type, Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))));

const hexadecimal = (bytes: Buffer) => `\nexif\n${String(bytes.length).padStart(8)}\n${bytes.toString('hex')}\n`;

async function pngWith(chunk: Buffer, place: 'before the pixels' | 'after the pixels'): Promise<Buffer> {
  const png = await quarters({ format: 'png' });
  const at = place === 'before the pixels' ? 8 + 25 : png.length - 12;
  return Buffer.concat([png.subarray(0, at), chunk, png.subarray(at)]);
}

describe('EXIF of a TIFF', () => {
  test('gives the facts of the fixture p05-camera.tif, and the tags that a variant keeps', async () => {
    const options = { keepMetadata: true, variants: [{ name: 'a', longestSide: 8, format: 'jpeg' }] };
    const { result, files } = await processPicture(await pictureFixture('p05-camera.tif'), {}, options);
    expect(result).toMatchObject(CAMERA);
    const { metadata } = await seePicture(files.get('a') ?? Buffer.alloc(0));
    expect(readExif(metadata.exif).text(IMAGE.model)).toBe('Canon EOS R5');
  });

  test('gives the same facts as the same block in a JPEG', async () => {
    const found = await blockOf(block, 'tiff');
    expect(exifFacts(found)).toEqual(exifFacts(block));
    expect(exifFacts(found)).toMatchObject({ ...CAMERA, exposure: { timeMs: 8, iso: 400 } });
    expect(exifPosition(found)).toEqual(PLACE);
  });

  test('is read from a BigTIFF and in big-endian order', async () => {
    const large = Buffer.alloc(16 + 8 + 20 + 8);
    large.write('II+\0\u0008\0\0\0\u0010', 'latin1');
    large.writeUInt16LE(1, 16);
    large.writeUInt16LE(IMAGE.make, 24);
    large.writeUInt16LE(2, 26);
    large.writeUInt8(6, 28);
    large.write('Leica\0', 36, 'latin1');
    expect(exifFacts(await blockOf(large, 'tiff')).camera).toBe('Leica');
    const big = Buffer.from('MM\0*\0\0\0\u0008\0\u0001\u0001\u000f\0\u0002\0\0\0\u0004LEG\0\0\0\0\0', 'latin1');
    expect(exifFacts(await blockOf(big, 'tiff')).camera).toBe('LEG');
  });

  test('is undefined if there is none', async () => {
    expect(await blockOf(await quarters({ format: 'tiff' }), 'tiff')).toBeUndefined();
  });

  test('never fails for damaged tags', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const found = await blockOf(flipBits(block, 6, seed, 8), 'tiff');
      expect(found === undefined || found.length < 10_000).toBe(true);
    }
  });
});

describe('EXIF of a PNG', () => {
  test('gives the facts of the fixture p10-raw-profile-exif.png', async () => {
    const { result } = await processPicture(await pictureFixture('p10-raw-profile-exif.png'));
    expect(result).toMatchObject(CAMERA);
  });

  test.each<[string, Buffer]>([
    ['eXIf', chunkOf('eXIf', block)],
    ['tEXt', chunkOf('tEXt', 'Raw profile type exif\0', hexadecimal(block))],
    ['zTXt', chunkOf('zTXt', 'Raw profile type APP1\0\0', deflateSync(hexadecimal(block)))],
    ['iTXt', chunkOf('iTXt', 'Raw profile type exif\0\0\0\0\0', hexadecimal(block))],
    ['packed iTXt', chunkOf('iTXt', 'Raw profile type exif\0\u0001\0\0\0', deflateSync(hexadecimal(block)))],
  ])('is read before and after the pixels: %s', async (_, chunk) => {
    for (const place of ['before the pixels', 'after the pixels'] as const) {
      const { result } = await processPicture(await pngWith(chunk, place), {}, { gps: true });
      expect([place, result]).toEqual([place, expect.objectContaining({ ...CAMERA, gps: PLACE })]);
    }
  });

  test.each<[string, Buffer]>([
    ['another profile', chunkOf('tEXt', 'Raw profile type APP1\0', hexadecimal(Buffer.from('http://ns.adobe.com/')))],
    ['no hexadecimal digits', chunkOf('tEXt', 'Raw profile type exif\0', 'nothing')],
    ['broken compression', chunkOf('zTXt', 'Raw profile type exif\0\0', 'nothing')],
    ['too many bytes', chunkOf('zTXt', 'Raw profile type exif\0\0', deflateSync(Buffer.alloc(1_000_000, '4949')))],
  ])('is undefined for %s', async (_, chunk) => {
    expect(await blockOf(await pngWith(chunk, 'after the pixels'), 'png')).toBeUndefined();
  });
});

test.each([9, 13])('a pointer of type %i to the position is followed', (type) => {
  const copy = Buffer.from(block);
  copy.writeUInt16LE(type, copy.indexOf(Buffer.from([0x25, 0x88, 4, 0])) + 2);
  expect(exifPosition(copy)).toEqual(PLACE);
});
