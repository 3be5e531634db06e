import type { Buffer } from 'node:buffer';
import { readExif } from '../exif-directory.ts';

const SIGNATURE = 'MPF\0';
/** Tag of the list of pictures (CIPA DC-007, section 5.2.3). */
const LIST = 0xb002;
const ENTRY_BYTES = 16;
/** The type of panoramas, pairs of a stereo camera, and other views. Previews and HDR gain maps have other types. */
const VIEW = 2;

/**
 * Returns the number of pictures in a JPEG with several (MPO): the first, and each further view. Previews do not count.
 * @param segment the content of an APP2 segment. The answer is undefined if it is not the index of such a file.
 */
export function picturesIn(segment: Buffer): number | undefined {
  if (segment.toString('latin1', 0, SIGNATURE.length) !== SIGNATURE) return undefined;
  const index = segment.subarray(SIGNATURE.length);
  const entries = readExif(index).bytes(LIST);
  const isLittle = index.toString('latin1', 0, 2) === 'II';
  let pictures = 1;
  for (let at = ENTRY_BYTES; at + ENTRY_BYTES <= entries.length; at += ENTRY_BYTES) {
    const attribute = isLittle ? entries.readUInt32LE(at) : entries.readUInt32BE(at);
    if (((attribute >>> 16) & 0xff) === VIEW) pictures += 1;
  }
  return pictures;
}
