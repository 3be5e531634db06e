import { Buffer } from 'node:buffer';
import sharp, { type Metadata, type Sharp } from 'sharp';
import type { KeptChannels } from './kept-channels.ts';
import type { PictureInput } from './readable-input.ts';
import type { Size } from './size.ts';

// A worker processes several pictures at the same time. Threads within one picture would only compete with them.
sharp.concurrency(1);
// No operation is repeated on the same picture, so a cache would only waste memory.
sharp.cache(false);
// No file can reach a loader that is not unblocked here. SVG and PDF can fetch and execute, and others are little
// tested.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map((loader) => `VipsForeignLoad${loader}`),
});

/** Maximum number of channels. No camera, scanner or press needs more. */
const MAX_CHANNELS = 16;

/** The background for formats without alpha. */
export const WHITE = '#ffffff';

/** Decoded pixels in sRGB, row by row, eight bits per channel. With two or four channels the last one is alpha. */
export interface Pixels extends Size {
  readonly data: Buffer;
  readonly channels: 1 | 2 | 3 | 4;
}

/** The header of a file. */
export interface Header extends Size, Pick<Metadata, 'autoOrient' | 'hasAlpha' | 'space' | 'channels' | 'depth'> {
  readonly format: string;
  readonly pages?: number | undefined;
  readonly orientation?: number | undefined;
  readonly exif?: Buffer | undefined;
  readonly icc?: Buffer | undefined;
  /** Pictures in the file, of which this is the main one. Undefined for other formats than HEIC and AVIF. */
  readonly pictures?: number | undefined;
  readonly isProgressive?: boolean | undefined;
  /** The subsampling of colours, such as `4:2:0`. */
  readonly chromaSubsampling?: string | undefined;
}

/** A pipeline of sharp. It does nothing until its output is requested. */
export type Pipeline = Sharp;

/** Limits for reading a file. */
export interface ReadSettings {
  /** Maximum number of pixels of one frame, as its header claims them. */
  readonly maxPixels: number;
  /** libvips stops at the next row or frame after this number of whole seconds. */
  readonly maxSeconds: number;
}

/** The parameters with which the first frame is decoded. */
export interface DecodeSettings extends ReadSettings {
  /** The size after orientation. It must not be larger than the picture. */
  readonly size: Size;
  /** If false, the profile of the file is ignored and the colour values are unchanged. */
  readonly appliesProfile: boolean;
  /** If true, the decoder also fails for warnings. Default false. */
  readonly failsOnWarning?: boolean;
  /** If true, the pixels have 16 bits per channel. Not for pictures with a profile. Default false. */
  readonly isDeep?: boolean;
  /** The channels to keep (see `keptChannels`). Such a picture is decoded at its full size first. */
  readonly keptChannels?: KeptChannels | undefined;
}

/** Reads only the header, so a header with huge claims is safe to read. */
export async function readHeader(input: PictureInput): Promise<Header> {
  return await sharp(input, { failOn: 'error', limitInputPixels: false, limitInputChannels: MAX_CHANNELS }).metadata();
}

/**
 * Decodes the first frame upright, in sRGB if the profile is applied. Formats that support it are decoded at a half, a
 * quarter or an eighth of the size.
 */
export async function decode(
  input: PictureInput,
  { size, appliesProfile, failsOnWarning = false, isDeep = false, keptChannels, maxPixels, maxSeconds }: DecodeSettings,
): Promise<Pixels> {
  const image = sharp(input, {
    failOn: failsOnWarning ? 'warning' : 'error',
    autoOrient: true,
    ignoreIcc: !appliesProfile,
    limitInputPixels: maxPixels,
    limitInputChannels: MAX_CHANNELS,
  }).timeout({ seconds: maxSeconds });
  if (isDeep) return await pixelsOf(image.resize({ ...size, fit: 'fill' }).toColourspace('rgb16'), 'ushort');
  if (keptChannels === undefined) return await pixelsOf(image.resize({ ...size, fit: 'fill' }));
  // Resizing would multiply the colours by the last channel.
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return await shrink({ ...firstChannels(data, info.channels, keptChannels), ...sizeOf(info) }, size);
}

function sizeOf({ width, height }: Size): Size {
  return { width, height };
}

/** Moves the kept channels of each pixel to the front of the buffer, which has no use afterwards. */
function firstChannels(data: Buffer, channels: number, kept: KeptChannels): Pick<Pixels, 'data' | 'channels'> {
  const pixels = data.length / channels;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < kept; channel++) {
      data[pixel * kept + channel] = data[pixel * channels + channel] ?? 0;
    }
  }
  return { data: data.subarray(0, pixels * kept), channels: kept };
}

/**
 * Reads the first `frames` frames, stacked vertically, without applying the orientation. `maxPixels` counts all frames
 * together.
 */
export function readFrames(input: PictureInput, frames: number, { maxPixels, maxSeconds }: ReadSettings): Pipeline {
  return sharp(input, { failOn: 'error', pages: frames, limitInputPixels: maxPixels }).timeout({ seconds: maxSeconds });
}

/** Scales `pixels` down. Returns the same object if it already has that size. */
export async function shrink(pixels: Pixels, size: Size): Promise<Pixels> {
  if (pixels.width === size.width && pixels.height === size.height) {
    return pixels;
  }
  return await pixelsOf(fromPixels(pixels).resize({ ...size, fit: 'fill' }));
}

/** Converts to RGBA at the given size. */
export async function toRgba(pixels: Pixels, size: Size): Promise<Pixels> {
  return await pixelsOf(
    fromPixels(pixels)
      .resize({ ...size, fit: 'fill' })
      .toColourspace('srgb')
      .ensureAlpha(),
  );
}

/** True if all pixels are the same, with their transparency. */
export function hasOneColour({ data, channels }: Pixels): boolean {
  for (let at = channels; at < data.length; at += 1) if (data[at] !== data[at % channels]) return false;
  return true;
}

/** Starts a pipeline from decoded pixels. */
export function fromPixels({ data, width, height, channels }: Pixels): Pipeline {
  return sharp(data, { raw: { width, height, channels } });
}

async function pixelsOf(image: Pipeline, depth: 'uchar' | 'ushort' = 'uchar'): Promise<Pixels> {
  const { data, info } = await image.raw({ depth }).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}
