import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { photo } from '../../../helpers/pictures.ts';
import { pictureFixture } from '../../../helpers/picture-fixture.ts';
import { processPicture } from '../../../helpers/process-picture.ts';

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

  test('is rejected if a scan of a progressive picture has bytes left', async () => {
    const whole = await photo({ width: 80, height: 60, progressive: true });
    const second = whole.indexOf(Buffer.from([0xff, 0xda]), whole.indexOf(Buffer.from([0xff, 0xda])) + 2);
    const longer = Buffer.concat([whole.subarray(0, second), zeros, whole.subarray(second)]);
    expect(await outcomeOf(longer)).toEqual(lost);
  });
});

test('JPEG with bytes between its segments is rejected if only one colour is left', async () => {
  const create = { width: 80, height: 60, channels: 3 as const, background: '#4080c0' };
  const flat = await sharp({ create }).jpeg().toBuffer();
  expect(await outcomeOf(flat)).toBe('completed');
  expect(await outcomeOf(insertBefore(flat, 0xdb, zeros))).toEqual(lost);
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
    const jpeg = await photo({ width: 80, height: 60 });
    const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]));
    jpeg[scan + jpeg.readUInt16BE(scan + 2)] = 0;
    expect(await outcomeOf(jpeg)).toBe('completed');
  });
});
