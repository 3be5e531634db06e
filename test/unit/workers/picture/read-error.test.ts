import { describe, expect, test } from '@jest/globals';
import { readError } from '../../../../workers/picture/read-error.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';

describe('readError', () => {
  test.each([
    ['Input file contains unsupported image format', 'picture_damaged', /not a picture/],
    ['VipsJpeg: premature end of JPEG image', 'picture_damaged', /incomplete/],
    ['gifload: Unexpected end of GIF source data', 'picture_damaged', /incomplete/],
    ['vipspng: libpng read error', 'picture_damaged', /damaged and cannot/],
    ['Unknown error', 'picture_damaged', /damaged and cannot/],
    ['VipsJpeg: Unsupported marker type 0x4f', 'picture_damaged', /damaged and cannot/],
    ['VipsJpeg: DNL not supported', 'picture_damaged', /damaged and cannot/],
    ['Input image exceeds pixel limit', 'picture_too_large', /more pixels/],
    ['heif: Memory allocation error: Security limit exceeded', 'picture_too_large', /more pixels/],
    ['tiff2vips: unsupported tiff image type', 'picture_unsupported', /Save it as JPEG/],
    ['tiff2vips: samples_per_pixel not a whole number of bytes', 'picture_unsupported', /feature that is not/],
    ["vips_colourspace: no known route from 'multiband' to 'srgb'", 'picture_unsupported', /feature that is not/],
    ['Input image exceeds channel limit', 'picture_unsupported', /feature that is not/],
    ['LZMA compression support is not configured', 'picture_unsupported', /feature that is not supported/],
    ['heif: Unsupported feature: Unsupported codec (4.3000)', 'picture_unsupported', /feature that is not supported/],
  ])('turns %p into %s', (words, code, detail) => {
    const cause = new Error(words);
    const error = readError(cause);
    expect(error).toBeInstanceOf(UnprocessableError);
    expect(error).toMatchObject({ code, detail: expect.stringMatching(detail), cause });
  });

  test.each([
    'Input file is missing: /data/original',
    'VipsForeignLoad: unable to open "/data/original"',
    'vips_tracked: out of memory --- size == 100MB',
    'wbuffer_write: write failed\nunix error: No space left on device',
    'unix error: Too many open files',
  ])('returns %p unchanged, because the machine is at fault', (words) => {
    const error = new Error(words);
    expect(readError(error)).toBe(error);
  });

  test('returns an UnprocessableError unchanged', () => {
    const error = new UnprocessableError('picture_timeout', 'Too slow.');
    expect(readError(error)).toBe(error);
  });

  test('puts no words of libvips into the detail', () => {
    const words = '/data/uploads/x/original: bad seek to 8793\nheif: Invalid input: Corrupt frame detected (2.0)';
    expect(readError(new Error(words))).toMatchObject({
      detail: expect.stringMatching(/^The picture is damaged and cannot be decoded\. /),
    });
  });
});
