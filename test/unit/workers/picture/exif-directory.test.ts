import { Buffer } from 'node:buffer';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { readExif } from '../../../../workers/picture/exif-directory.ts';
import { exifBlock } from '../../../helpers/exif-block.ts';

const MAKE = 0x010f;
const MODEL = 0x0110;
const EXIF_IFD = 0x8769;
const TAKEN = 0x9003;

/** Makes a big-endian block with one text of three letters that lies in its entry. */
function bigEndian(): Buffer {
  const block = Buffer.alloc(26);
  block.write('MM\0*\0\0\0\u0008\0\u0001', 'latin1');
  block.writeUInt16BE(MAKE, 10);
  block.writeUInt16BE(2, 12);
  block.writeUInt32BE(4, 14);
  block.write('LEG', 18);
  return block;
}

/** Makes a table full of entries, each of which claims the whole block as its text. */
function bomb(): Buffer {
  const block = Buffer.alloc(65_400, 'x');
  block.write('II*\0\u0008\0\0\0', 'latin1');
  block.writeUInt16LE(5400, 8);
  for (let entry = 0; entry < 5400; entry++) {
    block.writeUInt16LE(0xb000 + entry, 10 + entry * 12);
    block.writeUInt16LE(2, 12 + entry * 12);
    block.writeUInt32LE(65_000, 14 + entry * 12);
    block.writeUInt32LE(64_900, 18 + entry * 12);
  }
  return block;
}

afterEach(() => void jest.restoreAllMocks());

describe('EXIF directory', () => {
  test('returns short and long texts of its tables', () => {
    const image = readExif(exifBlock({ make: 'A', model: 'a model of some length', taken: '2024' }));
    expect([image.text(MAKE), image.text(MODEL)]).toEqual(['A', 'a model of some length']);
    expect(image.directory(EXIF_IFD).text(TAKEN)).toBe('2024');
  });

  test('reads both byte orders, with and without the JPEG prefix', () => {
    expect(readExif(bigEndian()).text(MAKE)).toBe('LEG');
    expect(readExif(exifBlock({ make: 'Canon' }).subarray(6)).text(MAKE)).toBe('Canon');
  });

  test('returns undefined for tags that are absent or of another type', () => {
    const image = readExif(exifBlock({ make: 'A' }));
    expect([image.text(MODEL), image.text(EXIF_IFD), image.directory(MAKE).text(TAKEN)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('follows pointers to itself or past its end only as far as requested', () => {
    const block = exifBlock({ make: 'A' });
    const pointer = block.indexOf(Buffer.from([0x69, 0x87, 4, 0])) + 8;
    block.writeUInt32LE(8, pointer);
    expect(readExif(block).directory(EXIF_IFD).directory(EXIF_IFD).text(MAKE)).toBe('A');
    block.writeUInt32LE(0xffff_fff0, pointer);
    expect(readExif(block).directory(EXIF_IFD).text(MAKE)).toBeUndefined();
  });

  test('decodes Latin-1', () => {
    const block = exifBlock({ make: 'Kohler' });
    block.write('\u00f6', block.indexOf('Kohler') + 1, 'latin1');
    expect(readExif(block).text(MAKE)).toBe('Köhler');
  });

  test('reads only the requested tags of a block whose entries would unfold to gigabytes', () => {
    const decode = jest.spyOn(TextDecoder.prototype, 'decode');
    const looks = jest.spyOn(DataView.prototype, 'getUint16');
    const image = readExif(bomb());
    expect(image.text(0xb000 + 5399)).toHaveLength(200);
    expect(image.text(MAKE)).toBeUndefined();
    expect(decode.mock.calls.map(([bytes]) => bytes?.byteLength)).toEqual([200]);
    // Each table is scanned once for each requested tag.
    expect(looks.mock.calls.length).toBeLessThan(2.1 * 5400);
  });
});
