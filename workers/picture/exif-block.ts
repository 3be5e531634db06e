import type { Buffer } from 'node:buffer';
import { FileWindow } from './structure/file-window.ts';
import { readPngExif } from './structure/png-exif.ts';
import { readTiffExif } from './structure/tiff-exif.ts';

const READERS: ReadonlyMap<string, (window: FileWindow) => Promise<Buffer | undefined>> = new Map([
  ['image/tiff', readTiffExif],
  ['image/png', readPngExif],
]);

/** Returns the EXIF block of a file if it is stored in a form that libvips does not read. Otherwise undefined. */
export async function readExifBlock(path: string, type: string, signal: AbortSignal): Promise<Buffer | undefined> {
  const read = READERS.get(type);
  return read === undefined ? undefined : await FileWindow.over(path, signal, read);
}
