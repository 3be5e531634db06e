import type { Buffer } from 'node:buffer';
import type { StepContext } from '../processor.ts';
import { SLOW_TO_READ } from './decode.ts';
import { toGrey } from './libvips.ts';
import type { PictureState } from './state.ts';
import { boundsOf, type PictureTools } from './tools.ts';

/** So many shades on each side go in. */
const SIDE = 32;

/** So many waves of each direction come out, the slowest ones that are no mean value: a bit for each pair of them. */
const WAVES = 8;

/** Below this a wave is noise of the arithmetic: a picture of one colour has none at all. */
const FAINTEST = 1e-6;

/** Leaves the hash by which copies of a picture find each other. */
export function perceptualHash(tools: PictureTools) {
  return async (state: PictureState, { signal }: StepContext): Promise<void> => {
    const grey = boundsOf(tools, signal, SLOW_TO_READ).wait(() => toGrey(state.preview.get(), { width: SIDE, height: SIDE }));
    state.perceptualHash.set(perceptualHashOf(await grey));
  };
}

/**
 * Of 32 × 32 shades of grey, as 16 hex digits: a DCT of both directions, of which the frequencies 1 to 8 count,
 * row by row; a bit is set where the amount of its wave is above the median of them all. (Zauner,
 * "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1.)
 */
export function perceptualHashOf(grey: Buffer): string {
  const columns = COSINES.map((wave) => Array.from({ length: SIDE }, (_, x) => dot(wave, (y) => grey.readUInt8(y * SIDE + x))));
  const amounts = columns.flatMap((column) => COSINES.map((wave) => dot(wave, (x) => column[x] ?? 0))).map((amount) => (Math.abs(amount) < FAINTEST ? 0 : amount));
  const sorted = amounts.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const median = ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  const bits = amounts.map((amount) => (amount > median ? '1' : '0')).join('');
  return BigInt(`0b${bits}`).toString(16).padStart(bits.length / 4, '0');
}

const COSINES: readonly (readonly number[])[] = Array.from({ length: WAVES }, (_, index) =>
  Array.from({ length: SIDE }, (_, place) => Math.cos(((2 * place + 1) * (index + 1) * Math.PI) / (2 * SIDE))),
);

function dot(wave: readonly number[], valueAt: (place: number) => number): number {
  return wave.reduce((sum, factor, place) => sum + factor * valueAt(place), 0);
}
