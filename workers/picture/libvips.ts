import { Buffer } from 'node:buffer';
import sharp, { type Colour, type Metadata, type Sharp } from 'sharp';
import type { PictureFormat } from '../../src/kinds/picture-options.ts';
import type { KeptExif } from './kept-exif.ts';
import type { Size } from './size.ts';

// Whole pictures run side by side, one per job in hand: threads inside one picture would only compete with them.
sharp.concurrency(1);
// No operation is ever repeated on the same picture, so a cache would hold memory for nothing.
sharp.cache(false);
// Whatever is not on this list cannot be reached by any file: SVG and PDF fetch and run things, others are little tested.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map((loader) => `VipsForeignLoad${loader}`),
});

const WHITE = '#ffffff';
const CLEAR = '#ffffff00';

/** Decoded pixels, row by row, eight bits per channel, in sRGB; the last of two or four channels is alpha. */
export interface Pixels extends Size {
  readonly data: Buffer;
  readonly channels: 1 | 2 | 3 | 4;
}

/** What a file says of itself. */
export type Header = Metadata;

/** How a picture is read. */
export interface DecodeOptions {
  readonly maxPixels: number;
  readonly maxSeconds: number;
}

/** Reads the header alone, so its claims are safe to look at however large they are. */
export async function readHeader(path: string): Promise<Header> {
  return await sharp(path, { failOn: 'error', limitInputPixels: false }).metadata();
}

/**
 * The first frame, turned the right way up, in sRGB, at `size` (as a person sees it, no larger than
 * the picture). Formats that can decode at a half, a quarter or an eighth of the size do.
 */
export async function decode(path: string, size: Size, options: DecodeOptions): Promise<Pixels> {
  const image = sharp(path, { failOn: 'error', autoOrient: true, limitInputPixels: options.maxPixels });
  return await pixelsOf(image.timeout({ seconds: options.maxSeconds }).resize({ ...size, fit: 'fill' }));
}

/** `pixels` themselves where they have that size already. */
export async function shrink(pixels: Pixels, size: Size): Promise<Pixels> {
  if (pixels.width === size.width && pixels.height === size.height) {
    return pixels;
  }
  return await pixelsOf(fromPixels(pixels).resize({ ...size, fit: 'fill' }));
}

/** The same picture with four channels, whatever it had. */
export async function toRgba(pixels: Pixels): Promise<Pixels> {
  return await pixelsOf(fromPixels(pixels).toColourspace('srgb').ensureAlpha());
}

/** Shades of grey from 0 to 255, row by row, whatever the shape was; what is clear counts as white. */
export async function toGrey(pixels: Pixels, size: Size): Promise<Buffer> {
  return await fromPixels(pixels).flatten({ background: WHITE }).greyscale().resize({ ...size, fit: 'fill' }).raw().toBuffer();
}

/** What a variant is written as. */
export interface EncodeTarget {
  /** Larger than the pixels: margins, clear or white. Smaller: what juts out is cut off. Both from the middle. */
  readonly size: Size;
  readonly format: PictureFormat;
  /** 1 to 100; undefined is the encoder's own. */
  readonly quality: number | undefined;
  /** By default there is none. */
  readonly exif?: KeptExif | undefined;
}

/** A file with no profile and no words in it but those given. Alpha is laid on white where the format has none. */
export async function encode(pixels: Pixels, { size, format, quality, exif }: EncodeTarget): Promise<Buffer> {
  const image = framed(pixels, size, format === 'jpeg' ? WHITE : CLEAR);
  if (exif !== undefined) image.withExif(exif);
  const options = quality === undefined ? {} : { quality };
  switch (format) {
    case 'webp':
      // Effort 4, the default, takes 2.8 times as long for files 8 per cent smaller.
      return await image.webp({ ...options, effort: 2 }).toBuffer();
    case 'jpeg':
      return await image.flatten({ background: WHITE }).jpeg(options).toBuffer();
    case 'avif':
      return await image.avif({ ...options, effort: 0 }).toBuffer();
    case 'png':
      return await image.png().toBuffer();
  }
}

function framed(pixels: Pixels, size: Size, background: Colour): Sharp {
  const image = fromPixels(pixels);
  const [left, top] = [Math.abs(size.width - pixels.width) >> 1, Math.abs(size.height - pixels.height) >> 1];
  if (size.width < pixels.width || size.height < pixels.height) {
    return image.extract({ left, top, ...size });
  }
  if (size.width > pixels.width || size.height > pixels.height) {
    const [right, bottom] = [size.width - pixels.width - left, size.height - pixels.height - top];
    return image.extend({ left, top, right, bottom, background });
  }
  return image;
}

function fromPixels({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

async function pixelsOf(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}
