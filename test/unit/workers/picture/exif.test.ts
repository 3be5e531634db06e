import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { exifFacts, exifPosition } from '../../../../workers/picture/exif.ts';
import { GPS, PHOTO } from '../../../../workers/picture/exif-tags.ts';
import { exifBlock, type ExifNumbers, type ExifTexts, type Quotient } from '../../../helpers/exif-block.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { flipBits, photo } from '../../../helpers/pictures.ts';

const NOTHING = { takenAt: null, camera: null, lens: null, exposure: null };
const DAY = '2024:05:01 12:30:00';

function takenAt(texts: ExifTexts): string | null {
  return exifFacts(exifBlock(texts)).takenAt;
}

function camera(make: string | undefined, model: string | undefined): string | null {
  return exifFacts(exifBlock({ ...(make === undefined ? {} : { make }), ...(model === undefined ? {} : { model }) }))
    .camera;
}

describe('date of a picture', () => {
  test('has an offset if the camera wrote one', () => {
    expect(takenAt({ taken: DAY, takenOffset: '+02:00' })).toBe('2024-05-01T12:30:00+02:00');
  });

  test('has no offset if the camera wrote none', () => {
    expect(takenAt({ taken: '2024:12:31 23:59:59' })).toBe('2024-12-31T23:59:59');
  });

  test.each(['', '02:00', '+2', '+99:99', 'UTC', '   :  '])('ignores the invalid offset %p', (takenOffset) => {
    expect(takenAt({ taken: DAY, takenOffset })).toBe('2024-05-01T12:30:00');
  });

  test('prefers the time of the shot, then of digitizing, then of the last change', () => {
    const clocks = { digitized: '2024:05:02 00:00:00', changed: '2024:05:03 00:00:00', changedOffset: '+01:00' };
    expect(takenAt({ ...clocks, taken: DAY })).toBe('2024-05-01T12:30:00');
    expect(takenAt(clocks)).toBe('2024-05-02T00:00:00');
    expect(takenAt({ changed: clocks.changed, changedOffset: clocks.changedOffset })).toBe('2024-05-03T00:00:00+01:00');
  });

  test.each([
    '0000:00:00 00:00:00',
    '0000:01:01 00:00:00',
    '2024:02:31 12:00:00',
    '2024:13:01 12:00:00',
    '2024:05:01 25:00:00',
    '    :  :     :  :  ',
    'yesterday',
    '',
  ])('is null for the clock value %p', (taken) => {
    expect(takenAt({ taken })).toBeNull();
  });
});

test('EXIF data is read from a block that another program wrote', async () => {
  const exif = { date: DAY, offset: '+02:00', make: 'Canon', model: 'Canon EOS R5' };
  const block = (await seePicture(await photo({ width: 16, height: 16, exif }))).metadata.exif ?? Buffer.alloc(0);
  expect(exifFacts(block)).toMatchObject({ takenAt: '2024-05-01T12:30:00+02:00', camera: 'Canon EOS R5' });
});

describe('camera of a picture', () => {
  test.each([
    ['Canon', 'Canon EOS R5', 'Canon EOS R5'],
    ['NIKON CORPORATION', 'NIKON D850', 'NIKON D850'],
    ['Apple', 'iPhone 15 Pro', 'Apple iPhone 15 Pro'],
    ['Google', undefined, 'Google'],
    [undefined, 'Pixel 8', 'Pixel 8'],
    ['  OLYMPUS  IMAGING  ', 'E-M1\n\t\u0007', 'OLYMPUS IMAGING E-M1'],
    ['Köhler', 'Größe 1', 'Köhler Größe 1'],
    ['', '', null],
    [undefined, undefined, null],
    ['LG', 'LG', 'LG'],
  ])('is made of %p and %p as %p', (make, model, expected) => {
    expect(camera(make, model)).toBe(expected);
  });

  test('is one line of bounded length', () => {
    expect(camera(undefined, 'x'.repeat(5000))).toHaveLength(100);
  });
});

describe('exposure of a picture', () => {
  function exposure(photo: ExifNumbers['photo'] = {}) {
    return exifFacts(exifBlock({}, { photo })).exposure;
  }

  test('is given in milliseconds, f-number, ISO and millimetres', () => {
    const photo = {
      [PHOTO.exposureTime]: [1, 8000],
      [PHOTO.fNumber]: [18, 10],
      [PHOTO.sensitivity]: 400,
      [PHOTO.focalLength]: [50_000, 1000],
    } as const;
    expect(exposure(photo)).toEqual({ timeMs: 0.125, fNumber: 1.8, iso: 400, focalLengthMm: 50 });
  });

  test('is null if the file has no value, and has null members for missing values', () => {
    expect(exposure()).toBeNull();
    expect(exposure({ [PHOTO.exposureTime]: [30, 1] })).toEqual({
      timeMs: 30_000,
      fNumber: null,
      iso: null,
      focalLengthMm: null,
    });
  });

  test.each<[string, Quotient]>([
    ['zero', [0, 10]],
    ['a quotient by zero', [28, 0]],
    ['nothing by nothing', [0, 0]],
    ['next to nothing', [1, 4_000_000_000]],
  ])('skips %s', (_, quotient) => {
    expect(exposure({ [PHOTO.fNumber]: quotient })).toBeNull();
  });

  test('reads a sensitivity above 65535 from another tag', () => {
    expect(exposure({ [PHOTO.sensitivity]: 65_535, [PHOTO.recommendedIndex]: 51_200 })).toMatchObject({ iso: 51_200 });
    expect(exposure({ [PHOTO.sensitivity]: 65_535 })).toBeNull();
  });
});

describe('position of a picture', () => {
  const degrees = (...parts: number[]): Quotient[] => parts.map((part) => [Math.round(part * 100), 100]);
  const berlin = { [GPS.latitude]: degrees(52, 30, 36), [GPS.longitude]: degrees(13, 24) };

  function position(gps: ExifNumbers['gps']) {
    return exifPosition(exifBlock({ taken: DAY }, { gps: gps ?? {} }));
  }

  test('is given in degrees, negative for south and west', () => {
    expect(position({ ...berlin, [GPS.latitudeRef]: 'N', [GPS.longitudeRef]: 'E' })).toEqual({
      latitude: 52.51,
      longitude: 13.4,
      altitudeM: null,
    });
    expect(position({ ...berlin, [GPS.latitudeRef]: 'S', [GPS.longitudeRef]: 'w' })).toMatchObject({
      latitude: -52.51,
      longitude: -13.4,
    });
  });

  test('has an altitude if the file has one, negative below the sea', () => {
    expect(position({ ...berlin, [GPS.altitude]: degrees(34.26) })).toMatchObject({ altitudeM: 34.3 });
    expect(position({ ...berlin, [GPS.altitude]: degrees(3), [GPS.altitudeRef]: 1 })).toMatchObject({ altitudeM: -3 });
    expect(position({ ...berlin, [GPS.altitude]: [[3, 0]] })).toMatchObject({ altitudeM: null });
  });

  test.each<[string, ExifNumbers['gps']]>([
    ['there is none', {}],
    ['half of it is missing', { [GPS.latitude]: degrees(52) }],
    ['it is on no globe', { [GPS.latitude]: degrees(91), [GPS.longitude]: degrees(13) }],
    [
      'it is nothing by nothing',
      {
        [GPS.latitude]: [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        [GPS.longitude]: degrees(13),
      },
    ],
  ])('is null if %s', (_, gps) => {
    expect(position(gps)).toBeNull();
  });
});

describe('unusable EXIF block', () => {
  test('gives no facts if it is absent', () => {
    expect(exifFacts(undefined)).toEqual(NOTHING);
  });

  test.each([
    '',
    'Exif',
    'II*\0',
    'MM\0*\0\0\0\u0008',
    'Exif\0\0II*\0\u00ff\u00ff\u00ff\u00ff',
    'no EXIF at all, but long enough',
  ])('gives no facts if it is broken like %p', (text) => {
    expect(exifFacts(Buffer.from(text, 'latin1'))).toEqual(NOTHING);
  });

  test('never throws for a damaged or cut block', () => {
    const gps = {
      [GPS.latitude]: [
        [52, 1],
        [30, 1],
      ],
      [GPS.longitude]: [
        [13, 1],
        [24, 1],
      ],
    } as const;
    const whole = exifBlock(
      { make: 'Canon', model: 'R5', changed: DAY, taken: DAY, takenOffset: '+02:00' },
      { photo: { [PHOTO.fNumber]: [28, 10] }, gps },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer(),
        fc.integer({ min: 0, max: whole.length }),
        (flips, seed, length) => {
          const damaged = flipBits(whole, flips, seed, 0).subarray(0, length);
          exifFacts(damaged);
          exifPosition(damaged);
        },
      ),
    );
  });
});
