import { Buffer } from 'node:buffer';
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Pixels } from './libvips.ts';
import type { PngGamma } from './structure/png-facts.ts';
import { levelOfLight } from './to-srgb.ts';

/** Pixels of one part: some milliseconds of work. Other jobs of the process run between two parts. */
const PIXELS_AT_ONCE = 500_000;

const [BLACK, WHITE] = [16, 235];

const FULL_RANGE = Uint8Array.from({ length: 256 }, (_, level) =>
  Math.min(255, Math.max(0, Math.round(((level - BLACK) * 255) / (WHITE - BLACK)))),
);

/** Spreads the levels of a picture from 16 to 235 over the range from 0 to 255, in place. */
export async function toFullRange({ data, channels }: Pixels): Promise<void> {
  await replaceLevels(data, data, channels, FULL_RANGE);
}

/**
 * Converts the levels of a picture to those of sRGB, with eight bits.
 * @param pixels their channels have as many bits as `gamma` says. Linear light needs 16 bits for the shadows.
 */
export async function fromGamma(pixels: Pixels, gamma: PngGamma): Promise<Pixels> {
  const { data, channels } = pixels;
  const { exponent, bits } = gamma;
  const count = 1 << bits;
  const levels = Uint8Array.from({ length: count }, (_, level) =>
    levelOfLight((level / (count - 1)) ** (1 / exponent)),
  );
  const source = bits === 16 ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  const target = bits === 16 ? Buffer.alloc(source.length) : data;
  await replaceLevels(source, target, channels, levels);
  return { ...pixels, data: target };
}

async function replaceLevels(
  source: Uint8Array | Uint16Array,
  target: Buffer,
  channels: number,
  levels: Uint8Array,
): Promise<void> {
  for (let start = 0; start < source.length; start += PIXELS_AT_ONCE * channels) {
    if (start > 0) await otherWork();
    const end = Math.min(source.length, start + PIXELS_AT_ONCE * channels);
    replacePart(source.subarray(start, end), target.subarray(start, end), channels, levels);
  }
}

/** Replaces the levels of the colours. Alpha is only reduced to eight bits. */
function replacePart(source: Uint8Array | Uint16Array, target: Buffer, channels: number, levels: Uint8Array): void {
  const colours = channels === 2 || channels === 4 ? channels - 1 : channels;
  const shift = source.BYTES_PER_ELEMENT === 2 ? 8 : 0;
  for (let at = 0; at < source.length; at += channels) {
    for (let channel = 0; channel < colours; channel++) target[at + channel] = levels[source[at + channel] ?? 0] ?? 0;
    if (colours < channels) target[at + colours] = (source[at + colours] ?? 0) >> shift;
  }
}
