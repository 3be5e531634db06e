import { setImmediate as otherWork } from 'node:timers/promises';
import { linear, type ColourMatrix } from './icc-profile.ts';
import type { Pixels } from './libvips.ts';

/** Number of levels of linear light: enough for the darkest sRGB levels, which differ by 1/13 of 1/255. */
const STEPS = 16_384;

/** Pixels of one part: a few milliseconds of work. Other jobs of the process run between two parts. */
const PIXELS_AT_ONCE = 500_000;

const LINEAR = Float64Array.from({ length: 256 }, (_, level) => linear(level / 255) * STEPS);
const LEVELS = Uint8Array.from({ length: STEPS + 1 }, (_, step) => Math.round(255 * encoded(step / STEPS)));

/** Converts pixels to sRGB in place. Colours outside sRGB become the nearest value of each channel. */
export async function toSrgb({ data, channels }: Pixels, matrix: ColourMatrix): Promise<void> {
  for (let start = 0; start < data.length; start += PIXELS_AT_ONCE * channels) {
    if (start > 0) await otherWork();
    convert(data, start, Math.min(data.length, start + PIXELS_AT_ONCE * channels), channels, matrix);
  }
}

/** Converts in JavaScript: 1.9 megapixels take 11 ms here, and 150 to 290 ms in the colour management of libvips. */
function convert(data: Buffer, start: number, end: number, channels: number, matrix: ColourMatrix): void {
  const [[a = 1, b = 0, c = 0] = [], [d = 0, e = 1, f = 0] = [], [g = 0, h = 0, i = 1] = []] = matrix;
  for (let at = start; at + 2 < end; at += channels) {
    const red = LINEAR[data[at] ?? 0] ?? 0;
    const green = LINEAR[data[at + 1] ?? 0] ?? 0;
    const blue = LINEAR[data[at + 2] ?? 0] ?? 0;
    data[at] = level(a * red + b * green + c * blue);
    data[at + 1] = level(d * red + e * green + f * blue);
    data[at + 2] = level(g * red + h * green + i * blue);
  }
}

/** Returns the level of linear light from 0 to 1. Other values become the nearest level. */
export function levelOfLight(light: number): number {
  return level(light * STEPS);
}

function level(step: number): number {
  return LEVELS[step <= 0 ? 0 : step >= STEPS ? STEPS : (step + 0.5) | 0] ?? 0;
}

/** Converts linear light to a level of sRGB, both 0 to 1. It is the inverse of `linear`. */
function encoded(light: number): number {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
}
