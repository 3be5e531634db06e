import { Buffer } from 'node:buffer';
import sharp from 'sharp';

/** Makes a small seeded generator of unsigned 32-bit numbers (xorshift). */
export function numbers(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b9) ^ 0x5bd1e995) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

/**
 * Makes noise at every scale, strongest at the coarsest, as RGB bytes. The energy of photographs is spread in the same
 * way, so encoders find as much to do as in a photograph.
 */
export async function fractalPixels(width: number, height: number, seed: number): Promise<Buffer> {
  const next = numbers(seed);
  let scale = 4 ** Math.max(0, Math.ceil(Math.log(Math.max(width, height) / 8) / Math.log(4)));
  let amplitude = 80;
  let size = sizeAt(width, height, scale);
  let data = Buffer.alloc(size.width * size.height * 3, 120);
  addNoise(data, next, amplitude);
  while (scale > 1) {
    scale /= 4;
    amplitude *= 0.45;
    const target = sizeAt(width, height, scale);
    const source = sharp(data, { raw: { ...size, channels: 3 } });
    data = await source
      .resize({ ...target, fit: 'fill', kernel: 'cubic' })
      .raw()
      .toBuffer();
    addNoise(data, next, scale === 1 ? GRAIN : amplitude);
    size = target;
  }
  return data;
}

/** The difference between neighbouring pixels at full size, as a phone's sensor causes it by day. */
const GRAIN = 12;

function sizeAt(width: number, height: number, scale: number): { width: number; height: number } {
  return { width: Math.max(1, Math.ceil(width / scale)), height: Math.max(1, Math.ceil(height / scale)) };
}

/** Adds noise. Light varies more than colour. */
function addNoise(data: Buffer, next: () => number, amplitude: number): void {
  for (let at = 0; at < data.length; at += 3) {
    const bits = next();
    const light = (((bits & 0xff) - 128) * amplitude) / 128;
    for (let channel = 0; channel < 3; channel++) {
      const tint = ((((bits >>> (8 + channel * 8)) & 0xff) - 128) * amplitude) / 512;
      const value = (data[at + channel] ?? 0) + light + tint;
      data[at + channel] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
  }
}
