import sharp from 'sharp';
import { Random } from './random.ts';

/** The longest comment. Its length is stored in two bytes, which count too. */
const MOST_COMMENT_BYTES = 65_533;
const MARKER_BYTES = 4;

/** Creates JPEGs of any size that all differ and are cheap to decode. Comments make them long. */
export async function pictureMaker(): Promise<(sizeBytes: number, seed: number) => Buffer> {
  const plain = await sharp({ create: { width: 24, height: 16, channels: 3, background: '#3a7' } })
    .jpeg()
    .toBuffer();
  return (sizeBytes, seed) => {
    const random = new Random(seed);
    const comments: Buffer[] = [];
    for (let left = sizeBytes - plain.length; left > 0; left -= MOST_COMMENT_BYTES)
      comments.push(comment(Math.min(left, MOST_COMMENT_BYTES), random));
    // After the start marker of the file.
    return Buffer.concat([plain.subarray(0, 2), ...comments, plain.subarray(2)]);
  };
}

function comment(byteCount: number, random: Random): Buffer {
  const segment = Buffer.alloc(Math.max(byteCount, MARKER_BYTES + 8), random.between(32, 126));
  segment.writeUInt16BE(0xfffe, 0);
  segment.writeUInt16BE(segment.length - 2, 2);
  segment.writeUInt32BE(random.between(0, 2 ** 32 - 1), MARKER_BYTES);
  segment.writeUInt32BE(random.between(0, 2 ** 32 - 1), MARKER_BYTES + 4);
  return segment;
}
