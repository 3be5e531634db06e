import { Buffer } from 'node:buffer';
import { setImmediate as otherWork } from 'node:timers/promises';
import type { ColourMatrix, HdrCurve } from './icc-profile.ts';
import type { Pixels } from './libvips.ts';
import { levelOfLight } from './to-srgb.ts';

/** Luminance in cd/m² of white paper and text in an HDR picture, and of the brightest lights (ITU-R BT.2408). */
const [WHITE_NITS, PEAK_NITS] = [203, 1000];
const PEAK = PEAK_NITS / WHITE_NITS;

/** Pixels of one part: some milliseconds of work. Other jobs of the process run between two parts. */
const PIXELS_AT_ONCE = 200_000;

/** Number of levels in the table of a curve. AVIF and HEIC have at most 12 bits. PNGs with 16 are rounded. */
const STEPS = 4096;

/** Decoded pixels with 16 bits per channel, in the byte order of the machine. */
interface DeepPixels extends Pixels {
  /** The level of white. */
  readonly white: number;
}

/**
 * Converts pixels with an HDR curve to sRGB. Colours up to white become darker, so that brighter lights remain
 * distinguishable, as in browsers on a display without HDR.
 */
export async function toneMap(pixels: DeepPixels, curve: HdrCurve, matrix: ColourMatrix): Promise<Pixels> {
  const { data, width, height, channels } = pixels;
  const target = Buffer.alloc(data.length / 2);
  for (let start = 0; start < target.length; start += PIXELS_AT_ONCE * channels) {
    if (start > 0) await otherWork();
    convert(pixels, target, start, Math.min(target.length, start + PIXELS_AT_ONCE * channels), curve, matrix);
  }
  return { data: target, width, height, channels };
}

function convert(
  { data, channels, white }: DeepPixels,
  target: Buffer,
  start: number,
  end: number,
  curve: HdrCurve,
  matrix: ColourMatrix,
): void {
  const [[a = 1, b = 0, c = 0] = [], [d = 0, e = 1, f = 0] = [], [g = 0, h = 0, i = 1] = []] = matrix;
  const deep = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
  const light = LIGHT[curve]();
  for (let at = start; at + 2 < end; at += channels) {
    const red = light[stepOf(deep[at] ?? 0, white)] ?? 0;
    const green = light[stepOf(deep[at + 1] ?? 0, white)] ?? 0;
    const blue = light[stepOf(deep[at + 2] ?? 0, white)] ?? 0;
    const gain = curve === 'hlg' ? hlgGain(red, green, blue) : 1;
    const factor = gain * compression(gain * Math.max(red, green, blue));
    target[at] = levelOfLight(factor * (a * red + b * green + c * blue));
    target[at + 1] = levelOfLight(factor * (d * red + e * green + f * blue));
    target[at + 2] = levelOfLight(factor * (g * red + h * green + i * blue));
    if (channels === 4) target[at + 3] = (deep[at + 3] ?? 0) >> 8;
  }
}

function stepOf(level: number, white: number): number {
  return Math.min(STEPS, Math.round((level / white) * STEPS));
}

/**
 * Returns the factor for a pixel by the extended curve of Reinhard, applied to the largest channel, so that hues stay.
 */
function compression(largest: number): number {
  return (1 + largest / (PEAK * PEAK)) / (1 + largest);
}

/**
 * Tables that convert a level of a channel to linear light, in which white is 1. They are computed for the first
 * picture that needs one.
 */
const LIGHT: Readonly<Record<HdrCurve, () => Float64Array>> = {
  pq: once((level) => pq(level) / WHITE_NITS),
  hlg: once(hlgScene),
};

function once(curve: (level: number) => number): () => Float64Array {
  let table: Float64Array | undefined;
  return () => (table ??= Float64Array.from({ length: STEPS + 1 }, (_, step) => curve(step / STEPS)));
}

/** Returns the luminance of a level in cd/m² (SMPTE ST 2084). */
function pq(level: number): number {
  const [m1, m2, c1, c2, c3] = [0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875];
  const root = level ** (1 / m2);
  return 10_000 * (Math.max(0, root - c1) / (c2 - c3 * root)) ** (1 / m1);
}

/** Returns the light of the scene, 0 to 1 (ITU-R BT.2100, table 5). */
function hlgScene(level: number): number {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073];
  return level <= 0.5 ? level ** 2 / 3 : (Math.exp((level - c) / a) + b) / 12;
}

/** Returns the factor from light of the scene to light of a display with the peak luminance (primaries of BT.2020). */
function hlgGain(red: number, green: number, blue: number): number {
  const luminance = 0.2627 * red + 0.678 * green + 0.0593 * blue;
  return luminance === 0 ? 0 : PEAK * luminance ** 0.2;
}
