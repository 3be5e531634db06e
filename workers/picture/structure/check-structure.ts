import { checkAvif, checkWebp } from './boxes.ts';
import { FileWindow } from './file-window.ts';
import { checkGif } from './gif-frames.ts';
import { checkJpeg } from './jpeg-segments.ts';
import { checkPng } from './png-chunks.ts';
import { checkTiff } from './tiff-pages.ts';

/** What is checked. */
export interface FileToCheck {
  readonly path: string;
  /** Media type by its first bytes. */
  readonly type: string;
  readonly maxFrames: number;
}

/**
 * Counts the parts of a picture by their headers, before the library opens it: that reads, unpacks or lists all of them,
 * which takes seconds and gigabytes for a file made for it. Rejects with `picture_too_large`, with `picture_damaged` for
 * pages in a circle, and with the signal's reason. Other damage is left to the library.
 */
export async function checkStructure({ path, type, maxFrames }: FileToCheck, signal: AbortSignal): Promise<void> {
  await FileWindow.over(path, signal, async (window) => {
    switch (type) {
      case 'image/png':
        return await checkPng(window, signal);
      case 'image/tiff':
        return await checkTiff(window, maxFrames);
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
