import { Buffer } from 'node:buffer';
import { truncate } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { sniffType } from '../../../../src/intake/sniff.ts';
import { readableInput } from '../../../../workers/picture/readable-input.ts';
import { FileWindow } from '../../../../workers/picture/structure/file-window.ts';
import { colourName, seePicture } from '../../../helpers/seen-picture.ts';
import { pictureFixture } from '../../../helpers/picture-fixture.ts';
import { animation, quarters } from '../../../helpers/pictures.ts';
import { processPicture, withFile, withWindow } from '../../../helpers/process-picture.ts';

const VARIANTS = [
  { name: 'webp', longestSide: 2000, format: 'webp' },
  { name: 'png', longestSide: 2000, format: 'png' },
  { name: 'jpeg', longestSide: 2000, format: 'jpeg' },
];

/** Replaces the major brand, which is at byte 8. */
function branded(avif: Buffer, brand: string): Buffer {
  const copy = Buffer.from(avif);
  copy.write(brand, 8, 'latin1');
  return copy;
}

async function variantsOf(bytes: Buffer) {
  const { result, files } = await processPicture(bytes, {}, { variants: VARIANTS });
  const seen = async (name: string) => await seePicture(files.get(name) ?? Buffer.alloc(0));
  return { result, webp: await seen('webp'), png: await seen('png'), jpeg: await seen('jpeg') };
}

describe('AVIF', () => {
  test.each(['mif1', 'miaf', 'avis', 'MA1B', 'avif'])('is read with the major brand %s', async (brand) => {
    const bytes = branded(await quarters({ format: 'avif' }), brand);
    expect(await sniffType(bytes)).toBe('image/avif');
    const { result, png } = await variantsOf(bytes);
    expect(result).toMatchObject({ format: 'avif', width: 120, height: 80 });
    expect(colourName(png.at(0.25, 0.25))).toBe('red');
  });

  test('is read as its still picture if it moves', async () => {
    const { result, png } = await variantsOf(await pictureFixture('p06-moving.avif'));
    expect(result).toMatchObject({ format: 'avif', frames: 1, width: 32, height: 32 });
    expect(png.width).toBe(32);
  });

  test('is not recognized if its brands name no still picture, or pictures in HEVC too', async () => {
    const moving = Buffer.concat([Buffer.from('\0\0\0\u0018ftypavis\0\0\0\0avismsf1', 'latin1'), Buffer.alloc(100)]);
    expect(await sniffType(moving)).toBe('image/avif-sequence');
    const both = Buffer.concat([Buffer.from('\0\0\0\u001cftypmif1\0\0\0\0heicavifmif1', 'latin1'), Buffer.alloc(100)]);
    expect(await sniffType(both)).not.toBe('image/avif');
  });

  test('is rejected as picture_unsupported if it must be changed and has more than 64 MiB', async () => {
    const bytes = branded(await quarters({ format: 'avif' }), 'miaf');
    const run = withFile(bytes, async (path) => {
      await truncate(path, 64 * 1024 * 1024 + 1);
      return await FileWindow.over(path, new AbortController().signal, async (window) => {
        return await readableInput(window, path, 'image/avif');
      });
    });
    await expect(run).rejects.toMatchObject({ code: 'picture_unsupported' });
  });
});

describe('GIF whose first frame does not cover the canvas', () => {
  test('is transparent there, and white in JPEG', async () => {
    const { result, webp, png, jpeg } = await variantsOf(await pictureFixture('p12-first-frame-small.gif'));
    expect(result).toMatchObject({ frames: 1, hasAlpha: true });
    for (const seen of [webp, png]) expect([seen.at(0.1, 0.5)[3], seen.at(0.9, 0.5)[3]]).toEqual([255, 0]);
    expect(colourName(jpeg.at(0.9, 0.5))).toBe('white');
  });

  test('keeps its frames if it is animated', async () => {
    const small = await pictureFixture('p12-first-frame-small.gif');
    const frame = small.subarray(small.indexOf(0x2c), -1);
    const moving = Buffer.concat([small.subarray(0, -1), frame, frame, Buffer.from([0x3b])]);
    const { result, webp } = await variantsOf(moving);
    expect(result).toMatchObject({ frames: 3, hasAlpha: true });
    expect(webp.at(0.9, 0.5)[3]).toBe(0);
  });

  test('is rejected as damaged if the frame has no pixels', async () => {
    const small = await pictureFixture('p12-first-frame-small.gif');
    const data = small.indexOf(0x2c) + 11;
    const empty = Buffer.concat([small.subarray(0, data), Buffer.from([0, 0x3b])]);
    await expect(processPicture(empty)).rejects.toMatchObject({
      code: 'picture_damaged',
      detail: expect.stringMatching(/first frame has no pixels/),
    });
  });

  test('is left as it is if the frame covers the canvas or has a transparent colour', async () => {
    const clear = await sharp({ create: { width: 8, height: 8, channels: 4, background: '#00000000' } })
      .gif()
      .toBuffer();
    for (const bytes of [await animation('gif', 2), clear]) {
      await withWindow(bytes, async (window, path) => {
        const { input } = await readableInput(window, path, 'image/gif');
        expect(input).toBe(path);
      });
    }
  });
});
