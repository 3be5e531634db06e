import { checkAvif, checkWebp } from './boxes.ts';
import { FileWindow } from './file-window.ts';
import { checkGif } from './gif-frames.ts';
import { checkJpeg } from './jpeg-segments.ts';
import { checkPng } from './png-chunks.ts';
import { checkTiff } from './tiff-pages.ts';
import { checkTiffSamples } from './tiff-samples.ts';

/** The file to check. */
export interface FileToCheck {
  readonly path: string;
  /** Media type, detected from the first bytes. */
  readonly type: string;
  readonly maxFrames: number;
}

/**
 * Counts the parts of a picture by their headers, before libvips opens it. libvips reads, unpacks or lists all parts,
 * which takes seconds and gigabytes for a hostile file. Rejects with `picture_too_large`, with `picture_damaged` for
 * pages in a loop, with `picture_unsupported` for pixels that libvips would read wrongly, or with the reason of the
 * signal. Other damage is left to libvips.
 */
export async function checkStructure({ path, type, maxFrames }: FileToCheck, signal: AbortSignal): Promise<void> {
  await FileWindow.over(path, signal, async (window) => {
    switch (type) {
      case 'image/png':
        return await checkPng(window, signal);
      case 'image/tiff':
        await checkTiff(window, maxFrames);
        return await checkTiffSamples(window);
      case 'image/gif':
        return await checkGif(window, maxFrames);
      case 'image/webp':
        return await checkWebp(window, maxFrames);
      case 'image/avif':
        return await checkAvif(window);
      case 'image/jpeg':
        return await checkJpeg(window);
      default:
        return undefined;
    }
  });
}
