import { Buffer } from 'node:buffer';
import { MAX_SEGMENTS } from './jpeg-segments.ts';
import { checkQuantization } from './quantization.ts';

const MARK = 0xff;
const [START_OF_SCAN, END_OF_IMAGE, QUANTIZATION] = [0xda, 0xd9, 0xdb];
/** Frames whose pixels are not refined by later scans: baseline and extended. */
const SEQUENTIAL: readonly number[] = [0xc0, 0xc1];
/** Markers without a length (ITU-T T.81, table B.1). */
const [TEMPORARY, FIRST_RESTART, LAST_RESTART] = [0x01, 0xd0, 0xd7];

const LAST_COEFFICIENT = 63;

/**
 * Removes harmless faults before the first scan of a JPEG, which would hide later faults: bytes between segments are
 * left out, and the parameters of a sequential scan get the only values that are allowed. Undefined if there is no such
 * fault, no scan, or too many segments. Throws `picture_damaged` as `checkQuantization` does.
 */
export function cleanJpeg(jpeg: Buffer): Buffer | undefined {
  const kept: Buffer[] = [jpeg.subarray(0, 2)];
  let hasFault = false;
  let isSequential = false;
  for (let at = 2; kept.length <= MAX_SEGMENTS;) {
    const start = nextMarker(jpeg, at);
    if (start === undefined) return undefined;
    hasFault ||= start > at;
    const marker = jpeg[start + 1] ?? 0;
    if (marker === END_OF_IMAGE) return undefined;
    const end = start + 2 + (hasLength(marker) && start + 4 <= jpeg.length ? jpeg.readUInt16BE(start + 2) : 0);
    const segment = jpeg.subarray(start, end);
    if (marker === START_OF_SCAN) {
      const scan = isSequential ? withoutParameters(segment) : segment;
      hasFault ||= !scan.equals(segment);
      return hasFault ? Buffer.concat([...kept, scan, jpeg.subarray(end)]) : undefined;
    }
    if (marker === QUANTIZATION) checkQuantization(segment.subarray(4));
    isSequential ||= SEQUENTIAL.includes(marker);
    kept.push(segment);
    at = end;
  }
  return undefined;
}

/** Returns the position of the next marker. A marker may begin with several of the same byte. */
function nextMarker(jpeg: Buffer, from: number): number | undefined {
  for (let at = jpeg.indexOf(MARK, from); at !== -1; at = jpeg.indexOf(MARK, at + 1)) {
    const marker = jpeg[at + 1];
    if (marker === undefined) return undefined;
    if (marker !== 0 && marker !== MARK) return at;
  }
  return undefined;
}

function hasLength(marker: number): boolean {
  return marker !== TEMPORARY && !(marker >= FIRST_RESTART && marker <= LAST_RESTART);
}

/**
 * Returns the header of a scan with the only allowed parameters: its last three bytes, which select coefficients
 * (section B.2.3).
 */
function withoutParameters(scan: Buffer): Buffer {
  return Buffer.concat([scan.subarray(0, -3), Buffer.from([0, LAST_COEFFICIENT, 0])]);
}
