import type { Pixels } from './libvips.ts';
import type { PictureState } from './state.ts';

/** The hash is computed from this many grey values per side. */
const SIDE = 32;

/**
 * The number of frequencies in each direction, from the lowest on, without the constant one. Each pair of them gives
 * one bit.
 */
const WAVES = 8;

/**
 * The smallest amplitude that counts. Smaller ones are rounding errors, and a picture of a single colour has only
 * these.
 */
const FAINTEST = 1e-6;

/** Sets the hash by which copies of a picture can be found. */
export async function perceptualHash(state: PictureState): Promise<void> {
  state.perceptualHash.set(perceptualHashOf(shadesOf(state.preview.get())));
}

/**
 * Returns the hash of 32 × 32 grey values as 16 hex digits. It computes a two-dimensional DCT and uses the frequencies
 * 1 to 8 of each direction, row by row. A bit is 1 if its amplitude is above the median. (Zauner, "Implementation and
 * Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1.)
 */
export function perceptualHashOf(shades: Float64Array): string {
  const columns = COSINES.map((wave) => Float64Array.from({ length: SIDE }, (_, x) => dot(wave, shades, x, SIDE)));
  const amounts = columns
    .flatMap((column) => COSINES.map((wave) => dot(wave, column, 0, 1)))
    .map((amount) => (Math.abs(amount) < FAINTEST ? 0 : amount));
  const sorted = amounts.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const median = ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  const bits = amounts.map((amount) => (amount > median ? '1' : '0')).join('');
  return BigInt(`0b${bits}`)
    .toString(16)
    .padStart(bits.length / 4, '0');
}

const COSINES: readonly Float64Array[] = Array.from({ length: WAVES }, (_, index) =>
  Float64Array.from({ length: SIDE }, (_, place) => Math.cos(((2 * place + 1) * (index + 1) * Math.PI) / (2 * SIDE))),
);

function dot(wave: Float64Array, values: Float64Array, start: number, step: number): number {
  let sum = 0;
  for (let place = 0; place < SIDE; place += 1) sum += (wave[place] ?? 0) * (values[start + place * step] ?? 0);
  return sum;
}

/**
 * Divides RGBA pixels of any shape into 32 × 32 fields. Returns the mean brightness of each field, row by row.
 * Transparent pixels count as white.
 */
export function shadesOf({ data, width, height }: Pixels): Float64Array {
  return Float64Array.from({ length: SIDE * SIDE }, (_, field) => {
    const [left, right] = span(field % SIDE, width);
    const [top, bottom] = span(Math.floor(field / SIDE), height);
    let sum = 0;
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) sum += lightAt(data, (y * width + x) * 4);
    }
    return sum / ((right - left) * (bottom - top));
  });
}

/**
 * Returns the range of pixels of a field, without its end. It has at least one pixel, so fields of a picture with fewer
 * than 32 pixels overlap.
 */
function span(field: number, length: number): [from: number, before: number] {
  const from = Math.floor((field * length) / SIDE);
  return [from, Math.max(from + 1, Math.floor(((field + 1) * length) / SIDE))];
}

/** Returns the luma of a pixel by ITU-R BT.601, on a white background. */
function lightAt(data: Buffer, at: number): number {
  const light = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
  return 255 + ((light - 255) * (data[at + 3] ?? 0)) / 255;
}
