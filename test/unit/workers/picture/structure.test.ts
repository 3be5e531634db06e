import { Buffer } from 'node:buffer';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { readContainer } from '../../../../workers/picture/container-facts.ts';
import { FileWindow } from '../../../../workers/picture/structure/file-window.ts';
import { checkJpeg } from '../../../../workers/picture/structure/jpeg-segments.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { withFile, withWindow } from '../../../helpers/process-picture.ts';
import { animation, cutShort, pages, photo, pngChunk, quarters, type PhotoFormat } from '../../../helpers/pictures.ts';

const FORMATS: readonly PhotoFormat[] = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'];

async function outcomeOf(bytes: Buffer, format: string, maxFrames = 2000): Promise<unknown> {
  const { signal } = new AbortController();
  return await withWindow(
    bytes,
    async (window) => await readContainer(window, `image/${format}`, maxFrames, signal),
  ).then(
    () => 'taken',
    (error: unknown) => (error instanceof UnprocessableError ? [error.code, error.detail] : error),
  );
}

const tooLarge = (words: string) => ['picture_too_large', expect.stringContaining(words)];

/** Returns a PNG with these chunks after its header. */
async function pngWith(...chunks: readonly Buffer[]): Promise<Buffer> {
  const png = await quarters({ format: 'png' });
  const headerEnd = 8 + 25;
  return Buffer.concat([png.subarray(0, headerEnd), ...chunks, png.subarray(headerEnd)]);
}

const packed = (bytes: number) => deflateSync(Buffer.alloc(bytes, 'a'), { level: 9 });
const zTxt = (data: Buffer) => pngChunk('zTXt', Buffer.concat([Buffer.from('key\0\0'), data]));
const iTxt = (flag: number, data: Buffer) =>
  pngChunk(
    'iTXt',
    Buffer.concat([Buffer.from(`key\0${String.fromCharCode(flag)}\0x\x9cen\0translated\0`, 'latin1'), data]),
  );
const riffChunk = (name: string) => Buffer.concat([Buffer.from(name), Buffer.alloc(4)]);
const box = Buffer.from('\0\0\0\u0008free', 'latin1');

describe('picture structure', () => {
  test.each(FORMATS)('accepts an ordinary %s, whole or truncated', async (format) => {
    const whole = await photo({ width: 300, height: 200, format, orientation: 6, exif: { make: 'a', gps: true } });
    expect(await outcomeOf(whole, format)).toBe('taken');
    for (const fraction of [0.001, 0.01, 0.3, 0.6, 0.999])
      expect(await outcomeOf(cutShort(whole, fraction), format)).toBe('taken');
  });

  test('accepts frames or pages up to the limit, and rejects more', async () => {
    const four = [
      ['gif', await animation('gif', 4)],
      ['webp', await animation('webp', 4)],
      ['tiff', await pages(4)],
    ] as const;
    for (const [format, bytes] of four) {
      expect([format, await outcomeOf(bytes, format, 4)]).toEqual([format, 'taken']);
      expect([format, await outcomeOf(bytes, format, 3)]).toEqual([
        format,
        tooLarge('more than 3 frames or pages. Shorten'),
      ]);
    }
  });

  test('rejects pages that lead back to an earlier one', async () => {
    const circle = await pages(3);
    const first = circle.readUInt32LE(4);
    const second = circle.readUInt32LE(first + 2 + circle.readUInt16LE(first) * 12);
    circle.writeUInt32LE(first, second + 2 + circle.readUInt16LE(second) * 12);
    expect(await outcomeOf(circle, 'tiff')).toEqual(['picture_damaged', expect.stringContaining('leads back')]);
  });

  test('accepts 64 texts of a PNG, packed or not, and rejects more', async () => {
    const text = pngChunk('tEXt', Buffer.from('key\0value'));
    expect(await outcomeOf(await pngWith(...Array.from({ length: 64 }, () => text)), 'png')).toBe('taken');
    expect(await outcomeOf(await pngWith(...Array.from({ length: 65 }, () => text)), 'png')).toEqual(
      tooLarge('more than 64 texts. Save the picture without its metadata'),
    );
    const large = iTxt(0, Buffer.alloc(3_000_000, 'x'));
    expect(await outcomeOf(await pngWith(large), 'png')).toBe('taken');
  });

  test.each([
    ['zTXt', (data: Buffer) => zTxt(data)],
    ['iTXt', (data: Buffer) => iTxt(1, data)],
  ])('rejects %s chunks that unpack to more than 16 MiB', async (_name, chunk) => {
    expect(await outcomeOf(await pngWith(chunk(packed(8_000_000))), 'png')).toBe('taken');
    expect(await outcomeOf(await pngWith(...Array.from({ length: 3 }, () => chunk(packed(8_000_000)))), 'png')).toEqual(
      tooLarge('unpack to more than 16 MiB'),
    );
  });

  test('rejects more than 1 MB of packed texts and profile', async () => {
    const half = Buffer.alloc(600_000);
    expect(await outcomeOf(await pngWith(pngChunk('iCCP', half)), 'png')).toBe('taken');
    expect(await outcomeOf(await pngWith(pngChunk('iCCP', half), zTxt(half)), 'png')).toEqual(
      tooLarge('more than 1 MB of packed'),
    );
  });

  test('rejects thousands of empty parts', async () => {
    const webp = await quarters({ format: 'webp' });
    const avif = await quarters({ format: 'avif' });
    const jpeg = await quarters();
    const segments = Buffer.alloc(4 * 5000, Buffer.from([0xff, 0xfe, 0, 2]));
    const many = (part: Buffer) => Buffer.concat(Array.from({ length: 1200 }, () => part));
    expect(await outcomeOf(Buffer.concat([webp, many(riffChunk('abcd'))]), 'webp')).toEqual(
      tooLarge('more than 100 parts'),
    );
    expect(await outcomeOf(Buffer.concat([avif, many(box)]), 'avif')).toEqual(tooLarge('more than 1000 parts'));
    expect(await outcomeOf(Buffer.concat([jpeg.subarray(0, 2), segments, jpeg.subarray(2)]), 'jpeg')).toEqual(
      tooLarge('more than 4096 segments'),
    );
  });

  test('stops counting when the upload is cancelled', async () => {
    const reason = new Error('cancelled');
    const check = withFile(
      await quarters(),
      async (path) => await FileWindow.over(path, AbortSignal.abort(reason), checkJpeg),
    );
    await expect(check).rejects.toBe(reason);
  });
});
