import { Buffer } from 'node:buffer';
import { tiffDirectory, type TiffTag } from './tiff-file.ts';

/** How a raw picture of a camera is stored. */
export interface RawPicture {
  /** If true, the tags follow the pixels, as libtiff writes them. */
  readonly tagsAtEnd: boolean;
  /** Tags of the first directory. One of them replaces a default of the same tag. */
  readonly tags: readonly TiffTag[];
}

const PREVIEW_BYTES = 64 * 48 * 3;

/** Makes a TIFF whose first page is a grey picture of 64 × 48 pixels, with the given tags. */
export function rawPicture({ tagsAtEnd, tags }: RawPicture): Buffer {
  const padding = tagsAtEnd ? 10_000 : 0;
  const directoryBytes = 1000;
  const directoryAt = tagsAtEnd ? 8 + padding + PREVIEW_BYTES : 8;
  const pixelsAt = tagsAtEnd ? 8 + padding : 8 + directoryBytes;
  const own: readonly TiffTag[] = [
    [256, 4, [64]],
    [257, 4, [48]],
    [258, 3, [8, 8, 8]],
    [259, 3, [1]],
    [262, 3, [2]],
    [273, 4, [pixelsAt]],
    [277, 3, [3]],
    [278, 4, [48]],
    [279, 4, [PREVIEW_BYTES]],
  ];
  const entries = [...own.filter(([tag]) => !tags.some(([other]) => other === tag)), ...tags];
  const file = Buffer.alloc(8 + padding + PREVIEW_BYTES + directoryBytes, 100);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(directoryAt, 4);
  tiffDirectory(entries, directoryAt).copy(file, directoryAt);
  return file;
}
