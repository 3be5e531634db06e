import type { FileWindow } from './file-window.ts';
import { picturesIn } from './more-pictures.ts';
import { checkQuantization } from './quantization.ts';
import { tooLarge } from './too-large.ts';

const SEGMENT_HEADER_BYTES = 4;
const [MARK, FILL, START_OF_SCAN, END_OF_IMAGE, QUANTIZATION, INDEX] = [0xff, 0xff, 0xda, 0xd9, 0xdb, 0xe2];

/** A depth map or a large profile needs a few hundred segments. */
export const MAX_SEGMENTS = 4096;

/** Facts from the segments of a JPEG. */
interface JpegFacts {
  /** True if only segments precede the first scan. Some cameras and editors write further bytes there. */
  readonly hasCleanJpegHeader: boolean;
  readonly pictures: number;
}

/**
 * Counts the segments of a JPEG before its first scan (ITU-T T.81, annex B), because libvips keeps those with metadata.
 * Throws `picture_too_large` for more than 4096, and `picture_damaged` as `checkQuantization` does.
 */
export async function checkJpeg(window: FileWindow): Promise<JpegFacts> {
  let pictures = 1;
  let at = 2;
  for (let segments = 0; ;) {
    const header = await window.read(at, SEGMENT_HEADER_BYTES);
    if (header === undefined || header[0] !== MARK) return { hasCleanJpegHeader: false, pictures };
    const marker = header[1] ?? 0;
    if (marker === FILL) {
      at += 1;
      continue;
    }
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE)
      return { hasCleanJpegHeader: marker === START_OF_SCAN, pictures };
    segments += 1;
    if (segments > MAX_SEGMENTS)
      throw tooLarge(
        `more than ${MAX_SEGMENTS} segments`,
        'Save the picture without its metadata and upload the new file.',
      );
    const length = header.readUInt16BE(2);
    const isRead = marker === QUANTIZATION || marker === INDEX;
    const data = isRead ? await window.read(at + SEGMENT_HEADER_BYTES, Math.max(0, length - 2)) : undefined;
    if (data !== undefined && marker === QUANTIZATION) checkQuantization(data);
    if (data !== undefined && marker === INDEX) pictures = picturesIn(data) ?? pictures;
    at += 2 + length;
  }
}
