import { UnprocessableError } from '../unprocessable-error.ts';
import type { Header } from './libvips.ts';
import type { PictureLimits } from './limits.ts';
import { areaOf, type Size } from './size.ts';

/**
 * The header of a JPEG may claim this many times `maxPixels`, because only the pixels that are decoded take memory. The
 * time still grows with the claimed pixels.
 */
const JPEG_FACTOR = 4;

/** The library decodes a JPEG at one of these fractions of its size, if that is enough for the largest variant. */
const FRACTIONS = [8, 4, 2];

/** The coefficients of a progressive JPEG take two bytes each. A picture in CMYK has four per pixel. */
const COEFFICIENT_BYTES = 2;
const MAX_COEFFICIENTS_PER_PIXEL = 4;

/** Coefficients per pixel of a picture with three channels. */
const COEFFICIENTS: ReadonlyMap<string, number> = new Map([
  ['4:2:0', 1.5],
  ['4:2:2', 2],
]);

/** Returns the number of pixels that the header of a picture may claim. */
export function claimablePixels(format: string, maxPixels: number): number {
  return format === 'jpeg' ? JPEG_FACTOR * maxPixels : maxPixels;
}

/**
 * Rejects a JPEG if more than `maxPixels` of it would be decoded for variants of this size. Also rejects a progressive
 * JPEG whose coefficients would take too much memory: all of them are read before the first pixel is decoded, at any
 * size.
 */
export function refuseLargeJpeg(header: Header, decoded: Size, { maxPixels }: PictureLimits): void {
  if (header.format !== 'jpeg') return;
  const loaded = loadedSize(header.autoOrient, decoded);
  if (areaOf(loaded) > maxPixels)
    throw tooLarge(
      `${count(areaOf(loaded))} pixels would be decoded. At most ${count(maxPixels)} are accepted. ` +
        'Request smaller variants, or make the picture smaller and upload it again.',
    );
  const most = COEFFICIENT_BYTES * MAX_COEFFICIENTS_PER_PIXEL * maxPixels;
  if (header.isProgressive === true && coefficientBytes(header) > most)
    throw tooLarge('It is progressive and too large for that. Save it as a baseline JPEG and upload the new file.');
}

/** Returns the size at which libvips decodes a JPEG that is then scaled to `wanted`. */
function loadedSize(picture: Size, wanted: Size): Size {
  const scale = Math.min(picture.width / wanted.width, picture.height / wanted.height);
  const fraction = FRACTIONS.find((candidate) => scale >= candidate) ?? 1;
  return { width: Math.ceil(picture.width / fraction), height: Math.ceil(picture.height / fraction) };
}

function coefficientBytes({ autoOrient, channels, chromaSubsampling = '' }: Header): number {
  const perPixel = channels === 3 ? (COEFFICIENTS.get(chromaSubsampling) ?? channels) : channels;
  return COEFFICIENT_BYTES * perPixel * areaOf(autoOrient);
}

function tooLarge(claim: string): UnprocessableError {
  return new UnprocessableError('picture_too_large', `The picture is too large. ${claim}`);
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}
