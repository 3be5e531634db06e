import { hasBrand } from '../../src/kinds/media-brands.ts';
import type { ColourNumbers } from './cicp.ts';
import { readAvifColours, type AvifColours } from './structure/avif-colours.ts';
import { checkAvif, checkWebp } from './structure/boxes.ts';
import type { FileWindow } from './structure/file-window.ts';
import { checkGif, readGifBlocks } from './structure/gif-frames.ts';
import { checkJpeg } from './structure/jpeg-segments.ts';
import { checkPng } from './structure/png-chunks.ts';
import { readPngFacts, type PngFacts } from './structure/png-facts.ts';
import { hasTiffAlpha } from './structure/tiff-alpha.ts';
import { checkTiff } from './structure/tiff-pages.ts';
import { checkTiffSamples } from './structure/tiff-samples.ts';

/** Facts about a file that libvips does not report. */
export interface ContainerFacts {
  /** False if the first channel after the colours is a spot colour or a mask, not transparency. */
  readonly isAlphaDeclared: boolean;
  /** True for a JPEG that has only segments before its pixels. */
  readonly hasCleanJpegHeader: boolean;
  /** True for a JPEG whose last two bytes are zeros. */
  readonly endsInZeros: boolean;
  /** True if the first frame of the picture may be all transparent. False for a GIF that has no colour for it. */
  readonly mayBeClear: boolean;
  /** True if a PNG, AVIF or HEIC is an animation. */
  readonly hasMoreFrames: boolean;
  /** Pictures in a JPEG, besides previews and the like. */
  readonly pictures: number;
  /** Undefined for other formats than AVIF. */
  readonly avifColours: AvifColours | undefined;
  /** The colours of an AVIF or PNG by numbers. Undefined if there are none. */
  readonly colours: ColourNumbers | undefined;
  /** See `PngFacts.gamma`. Undefined for other formats. */
  readonly gamma: PngFacts['gamma'];
}

const ORDINARY: ContainerFacts = {
  isAlphaDeclared: true,
  hasCleanJpegHeader: false,
  endsInZeros: false,
  mayBeClear: true,
  hasMoreFrames: false,
  pictures: 1,
  avifColours: undefined,
  colours: undefined,
  gamma: undefined,
};

/** Brands of files with moving pictures (ISO/IEC 23008-12; AV1 image file format, section 6.3). */
const MOVING_BRANDS: readonly string[] = ['avis', 'hevc', 'hevx', 'msf1'];
const BRANDS_BYTES = 1024;

/**
 * Counts the parts of a picture by their headers, before libvips opens it, and returns the facts from them. libvips
 * reads, unpacks or lists all parts, which takes seconds and gigabytes for a hostile file. Rejects with
 * `picture_too_large`, with `picture_damaged` for pages in a loop, with `picture_unsupported` for pixels that libvips
 * would read wrongly, or with the reason of the signal. Other damage is left to libvips.
 * @param type the media type, detected from the first bytes.
 */
export async function readContainer(
  window: FileWindow,
  type: string,
  maxFrames: number,
  signal: AbortSignal,
): Promise<ContainerFacts> {
  switch (type) {
    case 'image/jpeg':
      return { ...ORDINARY, ...(await checkJpeg(window)), endsInZeros: await endsInZeros(window) };
    case 'image/png': {
      await checkPng(window, signal);
      const { isAnimated, colours, gamma } = await readPngFacts(window);
      return { ...ORDINARY, hasMoreFrames: isAnimated, colours, gamma };
    }
    case 'image/tiff':
      await checkTiff(window, maxFrames);
      await checkTiffSamples(window);
      return { ...ORDINARY, isAlphaDeclared: await hasTiffAlpha(window) };
    case 'image/gif':
      await checkGif(window, maxFrames);
      return { ...ORDINARY, mayBeClear: (await readGifBlocks(window))?.isFirstFrameClear === true };
    case 'image/webp':
      await checkWebp(window, maxFrames);
      return ORDINARY;
    case 'image/avif': {
      await checkAvif(window);
      const colours = await readAvifColours(window);
      return { ...ORDINARY, hasMoreFrames: await moves(window), avifColours: colours, colours };
    }
    default:
      return { ...ORDINARY, hasMoreFrames: await moves(window) };
  }
}

async function endsInZeros(window: FileWindow): Promise<boolean> {
  return (await window.read(window.sizeBytes - 2, 2))?.readUInt16BE(0) === 0;
}

/** Returns whether an AVIF or HEIC has moving pictures, which the libraries do not report. */
async function moves(window: FileWindow): Promise<boolean> {
  const head = await window.read(0, Math.min(window.sizeBytes, BRANDS_BYTES));
  return head !== undefined && hasBrand(head, MOVING_BRANDS);
}
