import { Buffer } from 'node:buffer';
import { deflateSync } from 'node:zlib';
import { claimedHeic, heicFile } from './heic-files.ts';
import {
  animation,
  cutShort,
  flipBits,
  hugeClaim,
  pages,
  photo,
  pngChunk,
  quarters,
  type PhotoFormat,
} from './pictures.ts';

/** A malicious or damaged file. */
export interface HostilePicture {
  readonly name: string;
  readonly bytes: Buffer;
  /** The expected outcome: a code, `completed`, or `any` for every outcome with a readable detail. */
  readonly outcome: string;
}

const FORMATS: readonly PhotoFormat[] = ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'];

/**
 * Returns one file of every known hostile kind, always the same. `zerosSide` is the side in pixels of the pictures that
 * consist of zeros.
 */
export async function hostilePictures({ flipsEach = 4, zerosSide = 5000 } = {}): Promise<HostilePicture[]> {
  const originals = await Promise.all(
    FORMATS.map(async (format) => ({ format, bytes: await photo({ width: 300, height: 200, format }) })),
  );
  const moving = await animation('webp', 3);
  return [
    ...originals.map(({ format, bytes }) => ({
      name: `${format}, cut`,
      bytes: cutShort(bytes, 0.6),
      outcome: 'picture_damaged',
    })),
    { name: 'moving webp, cut', bytes: cutShort(moving, 0.8), outcome: 'picture_damaged' },
    ...[...originals, { format: 'moving webp', bytes: moving }].flatMap(({ format, bytes }) =>
      Array.from({ length: flipsEach }, (_, seed) => ({
        name: `${format}, ${8 * (seed + 1)} bits turned over`,
        bytes: flipBits(bytes, 8 * (seed + 1), seed),
        outcome: 'any',
      })),
    ),
    ...heics(flipsEach),
    ...(await claims()),
    ...(await bombs(zerosSide)),
  ];
}

/** Returns HEIC files, whole and hostile. */
function heics(flips: number): HostilePicture[] {
  const phone = heicFile('phone');
  return [
    { name: 'heic, whole', bytes: phone, outcome: 'completed' },
    { name: 'heic, cut', bytes: cutShort(phone, 0.6), outcome: 'picture_damaged' },
    { name: 'heic of 60,000 × 60,000', bytes: claimedHeic(60_000, 60_000), outcome: 'picture_too_large' },
    ...Array.from({ length: flips }, (_, seed) => ({
      name: `heic, ${4 * (seed + 1)} bits turned over`,
      bytes: flipBits(phone, 4 * (seed + 1), seed, 24),
      outcome: 'any',
    })),
  ];
}

/** Returns files whose headers claim more pixels than memory can hold. */
async function claims(): Promise<HostilePicture[]> {
  const [jpeg, webp, tiff, avif, gif] = await Promise.all([
    quarters(),
    quarters({ format: 'webp' }),
    quarters({ format: 'tiff' }),
    quarters({ format: 'avif' }),
    animation('gif', 2),
  ]);
  const startOfFrame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  jpeg.writeUInt16BE(65_500, startOfFrame + 5);
  jpeg.writeUInt16BE(65_500, startOfFrame + 7);
  const frameHeader = webp.indexOf('VP8 ') + 14;
  webp.writeUInt16LE(16_383, frameHeader);
  webp.writeUInt16LE(16_383, frameHeader + 2);
  for (const tag of [0x100, 0x101]) setTiffNumber(tiff, tag, 100_000);
  const extents = avif.indexOf('ispe') + 8;
  avif.writeUInt32BE(30_000, extents);
  avif.writeUInt32BE(30_000, extents + 4);
  // The file with many frames contains them all, each very small.
  const frames = Buffer.concat([gifHead(gif), ...Array.from({ length: 5000 }, () => TINY_FRAME), Buffer.from([0x3b])]);
  return [
    { name: 'png of 100,000 × 100,000', bytes: hugeClaim() },
    { name: 'jpeg of 65,500 × 65,500', bytes: jpeg },
    { name: 'webp of 16,383 × 16,383', bytes: webp },
    { name: 'tiff of 100,000 × 100,000', bytes: tiff },
    { name: 'avif of 30,000 × 30,000', bytes: avif },
    { name: 'tiff of 2500 pages', bytes: manyPages(await quarters({ format: 'tiff' }), 2500) },
    { name: 'gif of 5000 frames', bytes: frames },
  ].map((file) => ({ ...file, outcome: 'picture_too_large' }));
}

/** Returns files that unpack to a huge size, contain a cycle or are valid in two formats. */
async function bombs(zerosSide: number): Promise<HostilePicture[]> {
  const profile = pngChunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(50_000_000))]));
  const text = pngChunk('zTXt', Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(5_000_000))]));
  const texts = Array.from({ length: 20 }, () => text);
  const circle = await pages(2);
  const table = circle.readUInt32LE(4);
  circle.writeUInt32LE(table, table + 2 + circle.readUInt16LE(table) * 12);
  const page = '<!DOCTYPE html><script>alert(1)</script>PK\u0003\u0004';
  return [
    { name: 'png of nothing but zeros', bytes: blackPng(zerosSide, zerosSide), outcome: 'completed' },
    {
      name: 'interlaced png of nothing but zeros, which is decoded whole',
      bytes: interlacedPng(zerosSide),
      outcome: 'completed',
    },
    { name: 'png with a profile of 50 MB', bytes: blackPng(9, 9, [profile]), outcome: 'completed' },
    { name: 'png with 100 MB of words', bytes: blackPng(9, 9, texts), outcome: 'any' },
    { name: 'tiff that leads back to itself', bytes: circle, outcome: 'any' },
    {
      name: 'jpeg that is a page and an archive as well',
      bytes: Buffer.concat([await quarters(), Buffer.from(page)]),
      outcome: 'completed',
    },
    {
      name: 'png that goes on as a gif',
      bytes: Buffer.concat([hugeClaim(1, 1).subarray(0, 8), await animation('gif')]),
      outcome: 'any',
    },
  ];
}

const TINY_FRAME = Buffer.from([0x21, 0xf9, 4, 0, 1, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]);

/** Returns the bytes before the first block, with the colour table. */
function gifHead(gif: Buffer): Buffer {
  return gif.subarray(0, 13 + 3 * (2 << (gif.readUInt8(10) & 7)));
}

function blackPng(width: number, height: number, more: readonly Buffer[] = []): Buffer {
  const whole = hugeClaim(width, height);
  const headerEnd = 8 + 25;
  const pixels = pngChunk('IDAT', deflateSync(Buffer.alloc((width * 3 + 1) * height)));
  return Buffer.concat([whole.subarray(0, headerEnd), ...more, pixels, pngChunk('IEND', Buffer.alloc(0))]);
}

/** Returns a black square in the seven passes of Adam7: 100 KB that unpack to 100 MB. */
function interlacedPng(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 1], 8);
  const passes = [
    [8, 8, 0, 0],
    [8, 8, 4, 0],
    [4, 8, 0, 4],
    [4, 4, 2, 0],
    [2, 4, 0, 2],
    [2, 2, 1, 0],
    [1, 2, 0, 1],
  ] as const;
  const lengths = passes.map(
    ([across, down, left, top]) => Math.ceil((side - top) / down) * (Math.ceil((side - left) / across) * 3 + 1),
  );
  const pixels = deflateSync(Buffer.alloc(lengths.reduce((sum, length) => sum + length)));
  return Buffer.concat([
    hugeClaim().subarray(0, 8),
    pngChunk('IHDR', header),
    pngChunk('IDAT', pixels),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function setTiffNumber(tiff: Buffer, tag: number, value: number): void {
  const table = tiff.readUInt32LE(4);
  for (let at = table + 2; at < tiff.length; at += 12) {
    if (tiff.readUInt16LE(at) !== tag) continue;
    tiff.writeUInt16LE(4, at + 2);
    tiff.writeUInt32LE(value, at + 8);
    return;
  }
}

/** Repeats the directory of the file, each pointing to the next. */
function manyPages(tiff: Buffer, count: number): Buffer {
  const start = tiff.readUInt32LE(4);
  const pointer = 2 + tiff.readUInt16LE(start) * 12;
  const table = tiff.subarray(start, start + pointer + 4);
  const copies = Array.from({ length: count - 1 }, (_, index) => {
    const copy = Buffer.from(table);
    copy.writeUInt32LE(index === count - 2 ? 0 : tiff.length + (index + 1) * table.length, pointer);
    return copy;
  });
  const whole = Buffer.concat([tiff, ...copies]);
  whole.writeUInt32LE(tiff.length, start + pointer);
  return whole;
}
