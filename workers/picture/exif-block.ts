import type { Buffer } from 'node:buffer';
import { FileWindow } from './structure/file-window.ts';
import { readPngExif } from './structure/png-exif.ts';
import { readTiffExif } from './structure/tiff-exif.ts';

/** Returns the EXIF block of a file if it is stored in a form that libvips does not read. Otherwise undefined. */
export async function readExifBlock(path: string, type: string, signal: AbortSignal): Promise<Buffer | undefined> {
  return await FileWindow.over(path, signal, async (window) => {
    switch (type) {
      case 'image/tiff':
        return await readTiffExif(window);
      case 'image/png':
        return await readPngExif(window);
      default:
        return undefined;
    }
  });
}
