import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { sniffType, SNIFF_BYTES } from '../../../src/intake/sniff.ts';
import { heicHead } from '../../helpers/heic-files.ts';
import { animation, movingPng, photo, pngChunk, textAsJpeg, tinyPicture } from '../../helpers/pictures.ts';

describe('the type of bytes', () => {
  test.each(['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const)(
    'is recognized for %s from the first bytes',
    async (format) => {
      const bytes = await tinyPicture(format);
      expect(await sniffType(bytes.subarray(0, SNIFF_BYTES))).toBe(`image/${format}`);
    },
  );

  test.each(['none', 'lzw', 'deflate', 'jpeg'] as const)(
    'is recognized for a TIFF (%s) whose directory is at its end',
    async (compression) => {
      const bytes = await sharp(await photo({ width: 300, height: 200 }))
        .tiff({ compression })
        .toBuffer();
      expect(bytes.readUInt32LE(4)).toBeGreaterThan(SNIFF_BYTES);
      expect(await sniffType(bytes.subarray(0, SNIFF_BYTES))).toBe('image/tiff');
      expect(await sniffType(Buffer.concat([Buffer.from('MM\0*\0\u0001\0\0', 'latin1'), Buffer.alloc(5000)]))).toBe(
        'image/tiff',
      );
    },
  );

  test('of an animated PNG is PNG', async () => {
    expect(await sniffType(movingPng(await tinyPicture('png')))).toBe('image/png');
  });

  test('of a PNG that Xcode has changed for iPhone apps is not PNG', async () => {
    const png = await tinyPicture('png');
    const changed = Buffer.concat([
      png.subarray(0, 8),
      pngChunk('CgBI', Buffer.from('50002002', 'hex')),
      png.subarray(8),
    ]);
    expect(await sniffType(changed)).toBe('image/x-iphone-png');
  });

  test.each(['heic', 'heix', 'mif1'])('distinguishes HEIC (%s) from AVIF', async (brand) => {
    expect(await sniffType(heicHead(brand))).toMatch(/^image\/hei[cf]$/);
  });

  test.each([
    ['hevc', 'msf1heic', 'image/heic'],
    ['msf1', 'mif1heix', 'image/heic'],
    ['hevc', 'msf1hevc', 'image/heic-sequence'],
    ['msf1', 'iso8hevc', 'image/heif-sequence'],
  ])('reads the brands %s and %s of a moving HEIC as the type %s', async (brand, compatible, type) => {
    expect(await sniffType(heicHead(brand, compatible))).toBe(type);
  });

  test.each([
    '<svg xmlns="http://www.w3.org/2000/svg">',
    '<?xml version="1.0"?>\n<svg/>',
    '\uFEFF<?xml version="1.0"?><!-- made by hand --><svg width="1">',
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd"><svg>',
    '<!DOCTYPE svg [<!ENTITY a "b">]>\n<svg>',
    '<?xml version="1.0"?><svg:svg xmlns:svg="http://www.w3.org/2000/svg">',
  ])('is SVG for %s', async (text) => {
    expect(await sniffType(Buffer.from(text))).toBe('image/svg+xml');
  });

  test.each([
    '<svgs>',
    '<html><svg></svg></html>',
    'text <svg>',
    '<?xml version="1.0"?><rss/>',
    `<!--${'-'.repeat(4000)}`,
    `${'<!---->'.repeat(580)}<`,
  ])('is not SVG for %.40s', async (text) => {
    expect(await sniffType(Buffer.from(text))).not.toBe('image/svg+xml');
  });

  test('of an animation is that of its still picture', async () => {
    expect(await sniffType(await animation('gif'))).toBe('image/gif');
  });

  test.each([
    ['text', textAsJpeg()],
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from([0xff])],
    ['zeros', Buffer.alloc(5000)],
  ])('of %s is unknown', async (_what, bytes) => {
    expect(await sniffType(bytes)).toBeUndefined();
  });

  test('depends only on the first bytes of any file', async () => {
    const picture = Buffer.from(`<!--${'-'.repeat(SNIFF_BYTES)}--><svg>`);
    expect(await sniffType(picture)).toBeUndefined();
    expect(await sniffType(Buffer.from(`<!DOCTYPE svg${'['.repeat(2_000_000)}`))).toBeUndefined();
  });

  test('of a page or a program is never a picture', async () => {
    for (const bytes of [
      '<!DOCTYPE html><script>',
      '<svg xmlns="http://www.w3.org/2000/svg">',
      'MZ\u0090',
      '#!/bin/sh\n',
      '%PDF-1.7',
    ]) {
      expect((await sniffType(Buffer.from(bytes))) ?? '').not.toMatch(/^image\/(jpeg|png|webp|avif|gif|tiff)$/);
    }
  });
});
