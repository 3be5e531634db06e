import type { ColourNumbers } from './cicp.ts';
import { readAvifColours, type AvifColours } from './structure/avif-colours.ts';
import { FileWindow } from './structure/file-window.ts';
import { readGifBlocks } from './structure/gif-frames.ts';
import { hasCleanJpegHeader } from './structure/jpeg-segments.ts';
import { hasMovingBrand } from './structure/more-frames.ts';
import { readPngFacts } from './structure/png-facts.ts';
import { hasTiffAlpha } from './structure/tiff-alpha.ts';

/** Facts about a file that libvips does not report. */
export interface ContainerFacts {
  /** False if the first channel after the colours is a spot colour or a mask, not transparency. */
  readonly isAlphaDeclared: boolean;
  /** True for a JPEG that has only segments before its pixels. */
  readonly hasCleanJpegHeader: boolean;
  /** True if the first frame of the picture may be all transparent. False for a GIF that has no colour for it. */
  readonly mayBeClear: boolean;
  /** True if a PNG, AVIF or HEIC is an animation. */
  readonly hasMoreFrames: boolean;
  /** Undefined for other formats than AVIF. */
  readonly avifColours: AvifColours | undefined;
  /** The colours of an AVIF or PNG by numbers. Undefined if there are none. */
  readonly colours: ColourNumbers | undefined;
}

const MAY_MOVE: readonly string[] = ['image/avif', 'image/heic', 'image/heif'];

/** Reads the facts from the container of a picture. Rejects with the reason of the signal. */
export async function readContainer(path: string, type: string, signal: AbortSignal): Promise<ContainerFacts> {
  return await FileWindow.over(path, signal, async (window) => {
    const png = type === 'image/png' ? await readPngFacts(window) : undefined;
    const avifColours = type === 'image/avif' ? await readAvifColours(window) : undefined;
    return {
      isAlphaDeclared: type !== 'image/tiff' || (await hasTiffAlpha(window)),
      hasCleanJpegHeader: type === 'image/jpeg' && (await hasCleanJpegHeader(window)),
      mayBeClear: type !== 'image/gif' || (await readGifBlocks(window))?.isFirstFrameClear === true,
      hasMoreFrames: png?.isAnimated ?? (MAY_MOVE.includes(type) && (await hasMovingBrand(window))),
      avifColours,
      colours: avifColours ?? png?.colours,
    };
  });
}
