import type { PictureOptions } from '../../src/kinds/picture-options.ts';
import type { StepContext } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { exifFacts, exifPosition } from './exif.ts';
import { keptExif } from './kept-exif.ts';
import { readHeader, type Header } from './libvips.ts';
import type { PictureLimits } from './limits.ts';
import { planPicture } from './plan.ts';
import { readError } from './read-error.ts';
import { areaOf, type Size } from './size.ts';
import type { PictureFacts, PictureState } from './state.ts';

/** What is asked for, as a record holds it. Throws where that is no picture's: the intake has checked it. */
export type ReadOptions = (options: unknown) => PictureOptions;

/** Reads the header, refuses what is too large to decode, and leaves the facts and what is to be made. */
export function inspect(limits: PictureLimits, readOptions: ReadOptions) {
  return async (state: PictureState, { inputPath, upload }: StepContext): Promise<void> => {
    const options = readOptions(upload.options);
    const header = await readHeader(inputPath).catch((error: unknown) => {
      throw readError(error, limits.maxDecodeSeconds);
    });
    const facts = factsOf(header, options);
    refuseTooLarge(facts, limits.maxPixels);
    state.options.set(options);
    state.facts.set(facts);
    state.kept.set(options.keepMetadata ? keptExif(header.exif) : undefined);
    state.plan.set(planPicture(facts, options.variants));
  };
}

function factsOf(header: Header, { gps }: PictureOptions): PictureFacts {
  const { width, height } = header.autoOrient;
  return {
    // libvips names the container that AVIF lies in; the other pictures that come in it cannot be decoded here.
    format: header.format === 'heif' ? 'avif' : header.format,
    width,
    height,
    frames: header.pages ?? 1,
    hasAlpha: header.hasAlpha,
    colourSpace: header.space,
    orientation: orientationOf(header.orientation),
    ...exifFacts(header.exif),
    ...(gps ? { gps: exifPosition(header.exif) } : {}),
  };
}

/** Some writers put numbers there that mean nothing; viewers take them for 1, and so does libvips. */
function orientationOf(tag = 1): number {
  return tag >= 1 && tag <= 8 ? tag : 1;
}

function refuseTooLarge(size: Size, maxPixels: number): void {
  if (areaOf(size) <= maxPixels) {
    return;
  }
  const claim = `${count(size.width)} × ${count(size.height)} pixels`;
  const detail = `The picture says that it has ${claim}; at most ${count(maxPixels)} pixels in all are taken.`;
  throw new UnprocessableError('picture_too_large', detail);
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}
