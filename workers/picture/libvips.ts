import { Buffer } from 'node:buffer';
import sharp, { type Metadata, type Sharp } from 'sharp';
import type { VariantSpec } from '../../src/kinds/picture.ts';
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

/** Decoded pixels, row by row, eight bits per channel, in sRGB; the last of two or four channels is alpha. */
export interface Pixels extends Size {
  readonly data: Buffer;
  readonly channels: 1 | 2 | 3 | 4;
}

/** How a picture is read. */
export interface DecodeOptions {
  readonly maxPixels: number;
  readonly maxSeconds: number;
}

/** Reads the header alone, so its claims are safe to look at however large they are. */
export async function readHeader(path: string): Promise<Metadata> {
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

/** A file with no EXIF, no profile and no other words in it. Alpha is laid on white where `format` has none. */
export async function encode(pixels: Pixels, format: VariantSpec['format']): Promise<Buffer> {
  const image = fromPixels(pixels);
  switch (format) {
    case 'webp':
      // Effort 4, the default, takes 2.8 times as long for files 8 per cent smaller.
      return await image.webp({ quality: 80, effort: 2 }).toBuffer();
    case 'jpeg':
      return await image.flatten({ background: '#ffffff' }).jpeg({ quality: 80 }).toBuffer();
  }
}

function fromPixels({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

async function pixelsOf(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}
