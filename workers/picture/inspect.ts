import type { StepContext } from '../processor.ts';
import { UnprocessableError } from '../unprocessable-error.ts';
import { exifFacts } from './exif.ts';
import { readHeader } from './libvips.ts';
import type { PictureLimits } from './limits.ts';
import { readError } from './read-error.ts';
import type { Size } from './size.ts';
import type { PictureFacts, PictureState } from './state.ts';

/** Reads the header, refuses what is too large to decode, and leaves the facts. */
export function inspect(limits: PictureLimits) {
  return async (state: PictureState, { inputPath }: StepContext): Promise<void> => {
    const facts = await readFacts(inputPath).catch((error: unknown) => {
      throw readError(error, limits.maxDecodeSeconds);
    });
    refuseTooLarge(facts, limits.maxPixels);
    state.facts.set(facts);
  };
}

async function readFacts(path: string): Promise<PictureFacts> {
  const header = await readHeader(path);
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
  };
}

/** Some writers put numbers there that mean nothing; viewers take them for 1, and so does libvips. */
function orientationOf(tag = 1): number {
  return tag >= 1 && tag <= 8 ? tag : 1;
}

function refuseTooLarge({ width, height }: Size, maxPixels: number): void {
  if (width * height <= maxPixels) {
    return;
  }
  const claim = `${count(width)} × ${count(height)} pixels`;
  const detail = `The picture says that it has ${claim}; at most ${count(maxPixels)} pixels in all are taken.`;
  throw new UnprocessableError('picture_too_large', detail);
}

function count(value: number): string {
  return value.toLocaleString('en-GB');
}
