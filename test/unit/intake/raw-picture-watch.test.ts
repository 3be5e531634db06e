import { Buffer } from 'node:buffer';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { rawTypeOfStored, RawPictureWatch } from '../../../src/intake/raw-picture-watch.ts';
import { receiveFile } from '../../../src/intake/receive.ts';
import { ReceiveProgress } from '../../../src/intake/receive-progress.ts';
import { sniffType } from '../../../src/intake/sniff.ts';
import { createKinds } from '../../../src/kinds/kinds.ts';
import { manifestKey } from '../../../src/storage/keys.ts';
import { freshId } from '../../helpers/fake-request.ts';
import { photo } from '../../helpers/pictures.ts';
import { rawPicture } from '../../helpers/raw-picture.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { openTempStorage, type TempStorage } from '../../helpers/temp-storage.ts';
import type { TiffTag } from '../../helpers/tiff-file.ts';

const REDUCED: TiffTag = [254, 4, [1]];
const SUB_DIRECTORY: TiffTag = [330, 4, [8]];
const DNG_VERSION: TiffTag = [50_706, 4, [1025]];
const MOSAIC: TiffTag = [262, 3, [32_803]];
const PRINT_IM: TiffTag = [50_341, 4, [1]];

const RAWS: readonly [name: string, tags: readonly TiffTag[], type: string][] = [
  ['DNG', [REDUCED, SUB_DIRECTORY, DNG_VERSION], 'image/x-adobe-dng'],
  ['NEF and ARW, whose first page is a preview', [REDUCED, SUB_DIRECTORY], 'image/x-raw'],
  ['PEF, whose first page is a mosaic', [MOSAIC], 'image/x-raw'],
];

function typeOf(bytes: Buffer, chunkBytes: number): string | undefined {
  const watch = new RawPictureWatch();
  for (let at = 0; at < bytes.length; at += chunkBytes) watch.see(bytes.subarray(at, at + chunkBytes));
  return watch.type;
}

describe('raw picture of a camera', () => {
  test.each(RAWS)('is recognized by tags at its start or end, in chunks of any size: %s', (_, tags, type) => {
    for (const tagsAtEnd of [false, true])
      for (const chunkBytes of [1, 7, 4096, 100_000])
        expect([tagsAtEnd, chunkBytes, typeOf(rawPicture({ tagsAtEnd, tags }), chunkBytes)]).toEqual([
          tagsAtEnd,
          chunkBytes,
          type,
        ]);
  });

  test.each(RAWS)('is recognized in a stored file by two short reads: %s', async (_, tags, type) => {
    for (const tagsAtEnd of [false, true]) {
      const bytes = rawPicture({ tagsAtEnd, tags });
      const readAt = async (start: number, byteCount: number) => bytes.subarray(start, start + byteCount);
      expect(await rawTypeOfStored(readAt)).toBe(type);
      for (const length of [0, 1, 15, 16])
        expect(await rawTypeOfStored(async () => bytes.subarray(0, length))).toBeUndefined();
    }
  });

  test.each(RAWS)('is recognized by its first bytes if they contain the tags: %s', async (_, tags, type) => {
    expect(await sniffType(rawPicture({ tagsAtEnd: false, tags }))).toBe(type);
  });

  test('is recognized in big-endian files and in BigTIFF', () => {
    const big = Buffer.from('MM\0*\0\0\0\u0008\0\u0001\xc6\x12\0\u0001\0\0\0\u0004\u0001\u0004\0\0\0\0\0\0', 'latin1');
    expect(typeOf(big, 5)).toBe('image/x-adobe-dng');
    const large = Buffer.alloc(16 + 8 + 20 + 8);
    large.write('II+\0\u0008\0\0\0\u0010', 'latin1');
    large.writeUInt16LE(1, 16);
    large.writeUInt16LE(50_706, 24);
    expect(typeOf(large, 5)).toBe('image/x-adobe-dng');
  });

  test('is not an ordinary TIFF, even one with 28 tags or a tag for printers', async () => {
    const numbered = Array.from({ length: 18 }, (_, index): TiffTag => [60_000 + index, 4, [1]]);
    for (const bytes of [
      await photo({ width: 60, height: 40, format: 'tiff' }),
      await sharp(await photo({ width: 300, height: 200 }))
        .tiff({ pyramid: true, tile: true })
        .toBuffer(),
      rawPicture({ tagsAtEnd: false, tags: [[254, 4, [0]], ...numbered] }),
      rawPicture({ tagsAtEnd: false, tags: [PRINT_IM] }),
      rawPicture({ tagsAtEnd: false, tags: [REDUCED] }),
    ])
      expect([typeOf(bytes, 1000), await sniffType(bytes)]).toEqual([undefined, 'image/tiff']);
  });

  test('is undefined for a file that is cut or points past its end', () => {
    const whole = rawPicture({ tagsAtEnd: true, tags: [DNG_VERSION] });
    for (const length of [1, 8, 15, 16, 5000]) expect(typeOf(whole.subarray(0, length), 4)).toBeUndefined();
  });
});

describe('receiving a raw picture', () => {
  let temp: TempStorage;
  let progress: ReceiveProgress;

  beforeEach(async () => {
    temp = await openTempStorage();
    progress = new ReceiveProgress(async () => ({ applied: true, version: 1, record: undefined }), silentLog);
  });
  afterEach(async () => {
    await progress.close();
    await temp.remove();
  });

  test.each([false, true])(
    'rejects it with 415 and advice, and leaves no file (tags at the end: %s)',
    async (atEnd) => {
      const bytes = rawPicture({ tagsAtEnd: atEnd, tags: [REDUCED, SUB_DIRECTORY, DNG_VERSION] });
      const id = freshId();
      const file = {
        id,
        fencingToken: 'r1',
        chunks: chunksOf(bytes),
        options: {},
        maxBytes: 1_000_000,
        manifestOf: () => ({ key: manifestKey(id, 'r1'), bytes: Buffer.from('{}') }),
      };
      await expect(receiveFile({ storage: temp.storage, kinds: createKinds() }, file, progress)).rejects.toMatchObject({
        code: 'unsupported_media_type',
        message: expect.stringMatching(/This file is image\/x-adobe-dng.+Export it as JPEG/),
      });
      const left: unknown[] = [];
      for await (const object of temp.storage.list('')) left.push(object);
      expect(left).toEqual([]);
    },
  );
});

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

test('every type of raw pictures has advice', () => {
  const kinds = createKinds();
  for (const name of ['adobe-dng', 'canon-cr2', 'canon-cr3', 'nikon-nef', 'sony-arw', 'raw'])
    expect(kinds.adviceOn(`image/x-${name}`)).toMatch(/Export it as JPEG/);
});
