import { Buffer } from 'node:buffer';
import sharp, { type Metadata, type Sharp } from 'sharp';
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

/** What clear places become where a format has none. */
export const WHITE = '#ffffff';

/** Decoded pixels, row by row, eight bits per channel, in sRGB; the last of two or four channels is alpha. */
export interface Pixels extends Size {
  readonly data: Buffer;
  readonly channels: 1 | 2 | 3 | 4;
}

/** What a file says of itself. */
export type Header = Metadata;

/** A pipeline of the library, which does nothing until it is asked for bytes. */
export type Pipeline = Sharp;

/** How a file is read. */
export interface ReadSettings {
  /** Of one frame. */
  readonly maxPixels: number;
  /** The library stops by itself at the next row or frame after so many seconds, whole ones. */
  readonly maxSeconds: number;
}

/** How the first frame is decoded. */
export interface DecodeSettings extends ReadSettings {
  /** As a person sees it, no larger than the picture. */
  readonly size: Size;
  /** False leaves the colours as the numbers in the file say, whatever its profile. */
  readonly appliesProfile: boolean;
}

/** Reads the header alone, so its claims are safe to look at however large they are. */
export async function readHeader(path: string): Promise<Header> {
  return await sharp(path, { failOn: 'error', limitInputPixels: false }).metadata();
}

/**
 * The first frame, turned the right way up, in sRGB unless its profile is not applied. Formats that can
 * decode at a half, a quarter or an eighth of the size do.
 */
export async function decode(
  path: string,
  { size, appliesProfile, maxPixels, maxSeconds }: DecodeSettings,
): Promise<Pixels> {
  const image = sharp(path, {
    failOn: 'error',
    autoOrient: true,
    ignoreIcc: !appliesProfile,
    limitInputPixels: maxPixels,
  });
  return await pixelsOf(image.timeout({ seconds: maxSeconds }).resize({ ...size, fit: 'fill' }));
}

/** All frames below one another, as they stand in the file: nothing is turned. `maxPixels` is for all of them. */
export function readFrames(path: string, { maxPixels, maxSeconds }: ReadSettings): Pipeline {
  return sharp(path, { failOn: 'error', animated: true, limitInputPixels: maxPixels }).timeout({ seconds: maxSeconds });
}

/** `pixels` themselves where they have that size already. */
export async function shrink(pixels: Pixels, size: Size): Promise<Pixels> {
  if (pixels.width === size.width && pixels.height === size.height) {
    return pixels;
  }
  return await pixelsOf(fromPixels(pixels).resize({ ...size, fit: 'fill' }));
}

/** At that size and with four channels, whatever it had. */
export async function toRgba(pixels: Pixels, size: Size): Promise<Pixels> {
  return await pixelsOf(
    fromPixels(pixels)
      .resize({ ...size, fit: 'fill' })
      .toColourspace('srgb')
      .ensureAlpha(),
  );
}

/** To be cut, framed or encoded. */
export function fromPixels({ data, width, height, channels }: Pixels): Pipeline {
  return sharp(data, { raw: { width, height, channels } });
}

async function pixelsOf(image: Pipeline): Promise<Pixels> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}
