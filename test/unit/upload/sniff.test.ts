import { describe, expect, test } from '@jest/globals';
import { sniffType, SNIFF_BYTES } from '../../../src/upload/sniff.ts';
import { animation, textAsJpeg, tinyPicture } from '../../helpers/pictures.ts';

describe('the type of bytes', () => {
  test.each(['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const)('%s is told from its beginning', async (format) => {
    const bytes = await tinyPicture(format);
    expect(await sniffType(bytes.subarray(0, SNIFF_BYTES))).toBe(`image/${format}`);
  });

  test('an animation is what its still picture is', async () => {
    expect(await sniffType(await animation('gif'))).toBe('image/gif');
  });

  test.each([['text', textAsJpeg()], ['nothing', Buffer.alloc(0)], ['one byte', Buffer.from([0xff])], ['zeros', Buffer.alloc(5000)]])(
    'of %s is unknown',
    async (_what, bytes) => {
      expect(await sniffType(bytes)).toBeUndefined();
    },
  );

  test('a page or a program is never a picture', async () => {
    for (const bytes of ['<!DOCTYPE html><script>', '<svg xmlns="http://www.w3.org/2000/svg">', 'MZ\u0090', '#!/bin/sh\n', '%PDF-1.7']) {
      expect((await sniffType(Buffer.from(bytes))) ?? '').not.toMatch(/^image\/(jpeg|png|webp|avif|gif|tiff)$/);
    }
  });
});
