import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { photo } from '../../../helpers/pictures.ts';
import { pictureFixture } from '../../../helpers/picture-fixture.ts';
import { processPicture } from '../../../helpers/process-picture.ts';
import { decodeJpegStrictly } from '../../../../workers/picture/strict-jpeg.ts';

const OPTIONS = { variants: [{ name: 'a', longestSide: 40, format: 'png' }] };

async function outcomeOf(bytes: Buffer): Promise<unknown> {
  return await processPicture(bytes, {}, OPTIONS).then(
    () => 'completed',
    (error: unknown) => error,
  );
}

/** Inserts bytes before the first occurrence of a marker. */
function insertBefore(jpeg: Buffer, marker: number, bytes: Buffer): Buffer {
  const at = marker === 0xd9 ? jpeg.length - 2 : jpeg.indexOf(Buffer.from([0xff, marker]));
  return Buffer.concat([jpeg.subarray(0, at), bytes, jpeg.subarray(at)]);
}

function withoutScanParameters(jpeg: Buffer): Buffer {
  const copy = Buffer.from(jpeg);
  const scan = copy.indexOf(Buffer.from([0xff, 0xda]));
  copy[scan + copy.readUInt16BE(scan + 2)] = 0;
  return copy;
}

const zeros = Buffer.alloc(200);
const lost = expect.objectContaining({ code: 'picture_damaged', detail: expect.stringMatching(/pixels is lost/) });

describe('JPEG with broken pixels', () => {
  test('is rejected if its pixels end early, although an end mark follows', async () => {
    expect(await outcomeOf(await pictureFixture('p13-broken-data.jpg'))).toEqual(lost);
    for (const progressive of [false, true]) {
      const whole = await photo({ width: 80, height: 60, progressive });
      const half = Buffer.concat([whole.subarray(0, whole.length - 400), whole.subarray(-2)]);
      expect([progressive, await outcomeOf(half)]).toEqual([progressive, lost]);
    }
  });

  test('is rejected if its pixels end early and the decoder reports only a harmless fault before', async () => {
    const whole = await photo({ width: 80, height: 60 });
    const half = Buffer.concat([whole.subarray(0, whole.length - 400), whole.subarray(-2)]);
    for (const harmless of [insertBefore(half, 0xdb, zeros), withoutScanParameters(half)])
      expect(await outcomeOf(harmless)).toEqual(lost);
  });

  test.each([
    ['in a clean header', 0],
    ['behind bytes between its segments', 4],
  ])('is rejected if a quantization table begins with zero: %s', async (_, bytesBetween) => {
    const copy = Buffer.from(await photo({ width: 80, height: 60 }));
    copy[copy.indexOf(Buffer.from([0xff, 0xdb])) + 5] = 0;
    expect(await outcomeOf(insertBefore(copy, 0xdb, zeros.subarray(0, bytesBetween)))).toEqual(lost);
  });

  test('is rejected if a scan of a progressive picture has bytes left', async () => {
    const whole = await photo({ width: 80, height: 60, progressive: true });
    const second = whole.indexOf(Buffer.from([0xff, 0xda]), whole.indexOf(Buffer.from([0xff, 0xda])) + 2);
    const longer = Buffer.concat([whole.subarray(0, second), zeros, whole.subarray(second)]);
    expect(await outcomeOf(longer)).toEqual(lost);
  });
});

describe('JPEG of one colour', () => {
  const create = { width: 80, height: 60, channels: 3 as const, background: '#4080c0' };
  const flat = async (): Promise<Buffer> => await sharp({ create }).jpeg().toBuffer();

  test('completes without a fault', async () => {
    expect(await outcomeOf(await flat())).toBe('completed');
  });

  test('completes with bytes between its segments or before its end mark, or without parameters of its scan', async () => {
    expect(await outcomeOf(insertBefore(await flat(), 0xdb, zeros))).toBe('completed');
    expect(await outcomeOf(insertBefore(await flat(), 0xd9, zeros))).toBe('completed');
    expect(await outcomeOf(withoutScanParameters(await flat()))).toBe('completed');
  });
});

describe('JPEG without an end mark', () => {
  const incomplete = expect.objectContaining({ code: 'picture_damaged', detail: expect.stringMatching(/incomplete/) });

  test('completes if all its pixels are there, also with bytes between its segments or zeros at its end', async () => {
    const whole = await photo({ width: 80, height: 60 });
    const noEnd = whole.subarray(0, -2);
    const withZeros = Buffer.concat([noEnd, Buffer.alloc(10_000)]);
    const forms = [noEnd, whole.subarray(0, -1), withZeros, Buffer.concat([whole, zeros])];
    forms.push(insertBefore(noEnd, 0xdb, zeros), insertBefore(withZeros, 0xdb, zeros));
    for (const form of forms) expect(await outcomeOf(form)).toBe('completed');
  });

  test('is rejected as incomplete if zeros replace the rest of its pixels, in any form of JPEG', async () => {
    const whole = await photo({ width: 80, height: 60 });
    const progressive = await photo({ width: 80, height: 60, progressive: true });
    for (const jpeg of [whole, progressive, await pictureFixture('restart-intervals.jpg')]) {
      const half = jpeg.subarray(0, jpeg.length / 2);
      for (const count of [2, jpeg.length - half.length, 10_000])
        expect(await outcomeOf(Buffer.concat([half, Buffer.alloc(count)]))).toEqual(incomplete);
    }
    expect(await outcomeOf(Buffer.concat([whole.subarray(0, -3), Buffer.alloc(3)]))).toEqual(incomplete);
  });

  test('passes on an error that is not damage, also from the attempt with an end mark', async () => {
    let reads = 0;
    const settings = {
      size: { width: 40, height: 30 },
      appliesProfile: false,
      maxSeconds: 60,
      get maxPixels() {
        return (reads += 1) === 1 ? 1_000_000 : 1;
      },
    };
    const form = { hasCleanHeader: true, hasOneScan: true, endsInZeros: false };
    const noEnd = (await photo({ width: 80, height: 60 })).subarray(0, -2);
    await expect(decodeJpegStrictly(noEnd, settings, form)).rejects.toThrow(/pixel limit/);
  });

  test('is rejected as incomplete if one byte of its pixels is missing too', async () => {
    expect(await outcomeOf((await photo({ width: 80, height: 60 })).subarray(0, -3))).toEqual(incomplete);
  });

  test('is rejected as incomplete if it is progressive, because its last scans may be missing', async () => {
    expect(await outcomeOf((await photo({ width: 80, height: 60, progressive: true })).subarray(0, -2))).toEqual(
      incomplete,
    );
  });
});

describe('JPEG with harmless faults', () => {
  test.each([
    ['bytes between its segments', 0xdb],
    ['bytes before its end mark', 0xd9],
  ])('completes: %s', async (_, marker) => {
    for (const progressive of [false, true])
      expect(await outcomeOf(insertBefore(await photo({ width: 80, height: 60, progressive }), marker, zeros))).toBe(
        'completed',
      );
  });

  test('completes: the parameters of its scan are zeros, as some phones write them', async () => {
    expect(await outcomeOf(withoutScanParameters(await photo({ width: 80, height: 60 })))).toBe('completed');
  });
});
