import type { Buffer } from 'node:buffer';
import type { PictureFit, PictureFormat } from '../../src/kinds/picture-options.ts';
import type { KeptExif } from './kept-exif.ts';
import { fromPixels, readFrames, WHITE, type Pipeline, type Pixels, type ReadSettings } from './libvips.ts';
import type { Size } from './size.ts';

/** What a variant is written as. */
export interface EncodeTarget {
  /** The whole picture as it goes into `size`; no larger than the pixels. */
  readonly whole: Size;
  /** Larger than the whole: margins, clear or white. Smaller: what juts out is cut off. Both from the middle. */
  readonly size: Size;
  readonly format: PictureFormat;
  /** 1 to 100; undefined is the encoder's own. */
  readonly quality: number | undefined;
  /** By default there is none. */
  readonly exif?: KeptExif | undefined;
  /** Whole seconds, after which the encoder gives up; by default it never does. */
  readonly maxSeconds?: number;
}

/** How the frames of an animation come into their box. */
export interface AnimationTarget extends Omit<EncodeTarget, 'format' | 'whole'> {
  readonly fit: PictureFit;
}

const CLEAR = '#ffffff00';

/** A file with no profile and no words in it but those given. Alpha is laid on white where the format has none. */
export async function encode(
  pixels: Pixels,
  { whole, size, format, quality, exif, maxSeconds = 0 }: EncodeTarget,
): Promise<Buffer> {
  const image = framed(scaled(pixels, whole), whole, size, format === 'jpeg' ? WHITE : CLEAR).timeout({
    seconds: maxSeconds,
  });
  return await written(exif === undefined ? image : image.withExif(exif), format, quality).toBuffer();
}

/** The whole animation as WebP, straight from the file: all its frames at once would be too much to hold. */
export async function encodeAnimation(
  path: string,
  { size, fit, quality, exif }: AnimationTarget,
  settings: ReadSettings,
): Promise<Buffer> {
  const image = readFrames(path, settings).resize({
    ...size,
    fit: fit === 'inside' ? 'fill' : fit,
    withoutEnlargement: true,
    background: CLEAR,
  });
  return await written(exif === undefined ? image : image.withExif(exif), 'webp', quality).toBuffer();
}

function scaled(pixels: Pixels, whole: Size): Pipeline {
  const image = fromPixels(pixels);
  return whole.width === pixels.width && whole.height === pixels.height
    ? image
    : image.resize({ width: whole.width, height: whole.height, fit: 'fill' });
}

function framed(image: Pipeline, whole: Size, size: Size, background: string): Pipeline {
  const [left, top] = [Math.abs(size.width - whole.width) >> 1, Math.abs(size.height - whole.height) >> 1];
  if (size.width < whole.width || size.height < whole.height) {
    return image.extract({ left, top, width: size.width, height: size.height });
  }
  if (size.width > whole.width || size.height > whole.height) {
    const [right, bottom] = [size.width - whole.width - left, size.height - whole.height - top];
    return image.extend({ left, top, right, bottom, background });
  }
  return image;
}

function written(image: Pipeline, format: PictureFormat, quality: number | undefined): Pipeline {
  const options = quality === undefined ? {} : { quality };
  switch (format) {
    case 'webp':
      // Effort 4, the default, takes 2.8 times as long for files 8 per cent smaller; effort 1 saves a quarter of the time,
      // for files of photos and screenshots that are 10 to 19 per cent larger at the same PSNR.
      return image.webp({ ...options, effort: 2 });
    case 'jpeg':
      return image.flatten({ background: WHITE }).jpeg(options);
    case 'avif':
      return image.avif({ ...options, effort: 0 });
    case 'png':
      return image.png();
  }
}
