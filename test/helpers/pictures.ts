import { Buffer } from 'node:buffer';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Exif } from 'sharp';
import { fractalPixels, numbers } from './fractal.ts';

/** EXIF values: a local time such as `2024:05:01 12:30:00`, an offset such as `+02:00`. */
export interface PhotoExif {
  date?: string;
  offset?: string;
  make?: string;
  model?: string;
  artist?: string;
  copyright?: string;
  lens?: string;
  /** Quotients, such as `1/125`. */
  seconds?: string;
  fNumber?: string;
  focalLength?: string;
  iso?: string;
  /** Writes a position in Berlin, for tests that no variant contains it. */
  gps?: boolean;
}

export type PhotoFormat = 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff';

export interface PhotoOptions {
  /** Width after `orientation` is applied. */
  width?: number;
  height?: number;
  format?: PhotoFormat;
  /** EXIF orientation, 1 to 8. The pixels are stored accordingly. Adds an sRGB profile, as phones do. */
  orientation?: number;
  exif?: PhotoExif;
  /** The same options and seed give the same bytes. */
  seed?: number;
  colours?: 'rgb' | 'grey' | 'cmyk' | '16-bit';
  /** Embeds this profile and stores the pixels in its space. */
  profile?: 'srgb' | 'p3';
  quality?: number;
  /** Progressive JPEG, interlaced PNG. */
  progressive?: boolean;
}

/** Makes a picture with light, shapes and grain. A JPEG of 4000 × 3000 has about 4 MB, like a photo of a phone. */
export async function photo(options: PhotoOptions = {}): Promise<Buffer> {
  const { width = 1200, height = 900, seed = 1 } = options;
  return await encode({ data: await fractalPixels(width, height, seed), width, height }, options);
}

/** Makes a picture of red, green, blue and white quarters, in reading order after the orientation is applied. */
export async function quarters(options: Omit<PhotoOptions, 'seed' | 'exif'> = {}): Promise<Buffer> {
  const { width = 120, height = 80 } = options;
  const colours = [
    [220, 30, 30],
    [30, 200, 30],
    [30, 30, 220],
    [250, 250, 250],
  ];
  const data = Buffer.alloc(width * height * 3);
  for (let row = 0; row < height; row++) {
    const first = row < height / 2 ? 0 : 2;
    const middle = row * width + Math.ceil(width / 2);
    data.fill(Buffer.from(colours[first] ?? []), row * width * 3, middle * 3);
    data.fill(Buffer.from(colours[first + 1] ?? []), middle * 3, (row + 1) * width * 3);
  }
  return await encode({ data, width, height }, options);
}

/** Makes a picture with one colour in the middle half, and transparent around it. */
export async function transparentPng(width = 400, height = 300, colour = '#2060c0'): Promise<Buffer> {
  const background = { r: 0, g: 0, b: 0, alpha: 0 };
  const middle = {
    width: Math.ceil(width / 2),
    height: Math.ceil(height / 2),
    channels: 3,
    background: colour,
  } as const;
  const canvas = sharp({ create: { width, height, channels: 4, background } });
  return await canvas
    .composite([{ input: { create: middle } }])
    .png()
    .toBuffer();
}

/** Makes an animation of plain colours, the first one red. */
export async function animation(format: 'gif' | 'webp', frames = 4, width = 120, height = 80): Promise<Buffer> {
  const data = Buffer.alloc(width * height * 3 * frames);
  for (let frame = 0; frame < frames; frame++) {
    const pixel = Buffer.from([220 - frame * 40, frame * 40, 30]);
    data.fill(pixel, frame * width * height * 3, (frame + 1) * width * height * 3);
  }
  const strip = sharp(data, { raw: { width, height: height * frames, channels: 3, pageHeight: height } });
  return await strip.toFormat(format, { delay: Array.from({ length: frames }, () => 100), loop: 0 }).toBuffer();
}

/** Makes a TIFF of several pages of 120 × 80 pixels, each with the same four quarters. */
export async function pages(count: number): Promise<Buffer> {
  const page = await quarters({ format: 'png' });
  return await sharp(
    Array.from({ length: count }, () => page),
    { join: { animated: true } },
  )
    .tiff({ compression: 'lzw' })
    .toBuffer();
}

/** Makes a picture of 6 × 4 pixels. */
export async function tinyPicture(format: PhotoFormat = 'png'): Promise<Buffer> {
  return await quarters({ width: 6, height: 4, format });
}

/** Returns the first part of a file, as after a broken transfer. */
export function cutShort(bytes: Buffer, fraction = 0.5): Buffer {
  return Buffer.from(bytes.subarray(0, Math.floor(bytes.length * fraction)));
}

/** Returns a copy with `count` flipped bits, none in the first `spare` bytes, so that its type is still recognized. */
export function flipBits(bytes: Buffer, count: number, seed: number, spare = 16): Buffer {
  const copy = Buffer.from(bytes);
  const next = numbers(seed);
  for (let flip = 0; flip < count; flip++) {
    const at = spare + (next() % Math.max(1, copy.length - spare));
    copy[at] = (copy[at] ?? 0) ^ (1 << (next() % 8));
  }
  return copy;
}

/** Returns plain text, to be sent under the name of a picture. */
export function textAsJpeg(): Buffer {
  return Buffer.from('This is not a picture, whatever its name says.\n'.repeat(40));
}

/** Makes a whole PNG of a few hundred bytes whose header claims more pixels than any memory holds. */
export function hugeClaim(width = 100_000, height = 100_000): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(1000))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Makes an animated PNG with one frame. */
export function movingPng(still: Buffer): Buffer {
  const control = Buffer.alloc(8);
  control.writeUInt32BE(1, 0);
  const headerEnd = 8 + 25;
  return Buffer.concat([still.subarray(0, headerEnd), pngChunk('acTL', control), still.subarray(headerEnd)]);
}

/** Makes a chunk of a PNG with its length and checksum. */
export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** A picture in memory, RGB. */
interface Raster {
  data: Buffer;
  width: number;
  height: number;
}

/** Where a stored pixel is displayed, from the table of the EXIF standard and independent of any library. */
const SEEN: Record<number, (column: number, row: number, right: number, bottom: number) => [x: number, y: number]> = {
  1: (column, row) => [column, row],
  2: (column, row, right) => [right - column, row],
  3: (column, row, right, bottom) => [right - column, bottom - row],
  4: (column, row, _, bottom) => [column, bottom - row],
  5: (column, row) => [row, column],
  6: (column, row, right) => [right - row, column],
  7: (column, row, right, bottom) => [right - row, bottom - column],
  8: (column, row, _, bottom) => [row, bottom - column],
};

/** Returns the pixels as a camera in this orientation stores them. */
function stored(upright: Raster, orientation = 1): Raster {
  const seen = SEEN[orientation];
  if (seen === undefined || orientation === 1) {
    return upright;
  }
  const [width, height] = orientation >= 5 ? [upright.height, upright.width] : [upright.width, upright.height];
  const data = Buffer.alloc(upright.data.length);
  for (let at = 0; at < width * height; at++) {
    const [x, y] = seen(at % width, Math.floor(at / width), upright.width - 1, upright.height - 1);
    const from = (y * upright.width + x) * 3;
    for (let channel = 0; channel < 3; channel++) data[at * 3 + channel] = upright.data[from + channel] ?? 0;
  }
  return { data, width, height };
}

async function encode(upright: Raster, options: PhotoOptions): Promise<Buffer> {
  const { format = 'jpeg', colours = 'rgb', quality = 90, progressive = false, exif, orientation, profile } = options;
  const space = { rgb: 'srgb', grey: 'b-w', cmyk: 'cmyk', '16-bit': 'rgb16' }[colours];
  const { data, width, height } = stored(upright, orientation);
  let image = sharp(data, { raw: { width, height, channels: 3 } }).toColourspace(space);
  if (exif !== undefined) {
    image = image.withExif(exifTags(exif));
  }
  if (orientation !== undefined) {
    image = image.withMetadata({ orientation });
  }
  if (profile !== undefined) {
    image = image.withIccProfile(profile);
  }
  switch (format) {
    case 'jpeg':
      return await image.jpeg({ quality, progressive }).toBuffer();
    case 'png':
      return await image.png({ progressive }).toBuffer();
    case 'avif':
      return await image.avif({ quality, effort: 0 }).toBuffer();
    case 'webp':
      return await image.webp({ quality, effort: 0 }).toBuffer();
    case 'tiff':
      return await image.tiff({ compression: 'lzw' }).toBuffer();
    case 'gif':
      return await image.gif({ effort: 1 }).toBuffer();
  }
}

function exifTags({
  date,
  offset,
  make,
  model,
  artist,
  copyright,
  lens,
  seconds,
  fNumber,
  focalLength,
  iso,
  gps,
}: PhotoExif): Exif {
  return {
    IFD0: present({ Make: make, Model: model, Artist: artist, Copyright: copyright }),
    IFD2: present({
      DateTimeOriginal: date,
      OffsetTimeOriginal: offset,
      LensModel: lens,
      ExposureTime: seconds,
      FNumber: fNumber,
      FocalLength: focalLength,
      ISOSpeedRatings: iso,
    }),
    IFD3:
      gps === true
        ? { GPSLatitudeRef: 'N', GPSLatitude: '52/1 31/1 0/1', GPSLongitudeRef: 'E', GPSLongitude: '13/1 24/1 0/1' }
        : {},
  };
}

function present(tags: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tags).flatMap(([tag, value]) => (value === undefined ? [] : [[tag, value]])),
  );
}
