import type { Pixels } from './libvips.ts';
import type { PictureState } from './state.ts';

/** So many shades on each side go in. */
const SIDE = 32;

/** So many waves of each direction come out, the slowest ones that are no mean value: a bit for each pair of them. */
const WAVES = 8;

/** Below this a wave is noise of the arithmetic: a picture of one colour has none at all. */
const FAINTEST = 1e-6;

/** Leaves the hash by which copies of a picture find each other. */
export async function perceptualHash(state: PictureState): Promise<void> {
  state.perceptualHash.set(perceptualHashOf(shadesOf(state.preview.get())));
}

/**
 * Of 32 × 32 shades of grey, as 16 hex digits: a DCT of both directions, of which the frequencies 1 to 8 count,
 * row by row; a bit is set where the amount of its wave is above the median of them all. (Zauner,
 * "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1.)
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

/** The mean light of each of 32 × 32 fields of RGBA pixels, row by row, whatever their shape was; what is clear counts as white. */
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

/** From one pixel to before another; at least one, so that a picture of fewer than 32 has some twice. */
function span(field: number, length: number): [from: number, before: number] {
  const from = Math.floor((field * length) / SIDE);
  return [from, Math.max(from + 1, Math.floor(((field + 1) * length) / SIDE))];
}

/** ITU-R BT.601, on white. */
function lightAt(data: Buffer, at: number): number {
  const light = 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
  return 255 + ((light - 255) * (data[at + 3] ?? 0)) / 255;
}
