import type { Buffer } from 'node:buffer';
import type { PictureState } from './state.ts';

/** Two pixels count as the same colour if this many upper bits of each channel are equal. */
const BIN_BITS = 4;
const SUMS = 4;
const WHITE = '#ffffff';

/** Sets the colour that covers most of the picture. Transparent areas do not count. */
export async function dominantColour(state: PictureState): Promise<void> {
  state.dominantColour.set(dominantColourOf(state.preview.get().data));
}

/**
 * Returns the mean of the largest group of similar colours as `#rrggbb`, or white if the picture is fully transparent.
 */
export function dominantColourOf(rgba: Buffer): string {
  // Four sums for each group: the alpha of its pixels, and their red, green and blue, each weighted by the alpha.
  const sums = new Float64Array(SUMS << (3 * BIN_BITS));
  let largest = 0;
  for (let at = 0; at + 3 < rgba.length; at += 4) {
    const [red, green, blue, alpha] = [rgba[at] ?? 0, rgba[at + 1] ?? 0, rgba[at + 2] ?? 0, rgba[at + 3] ?? 0];
    const bin = SUMS * ((top(red) << (2 * BIN_BITS)) | (top(green) << BIN_BITS) | top(blue));
    sums[bin] = (sums[bin] ?? 0) + alpha;
    sums[bin + 1] = (sums[bin + 1] ?? 0) + red * alpha;
    sums[bin + 2] = (sums[bin + 2] ?? 0) + green * alpha;
    sums[bin + 3] = (sums[bin + 3] ?? 0) + blue * alpha;
    if ((sums[bin] ?? 0) > (sums[largest] ?? 0)) largest = bin;
  }
  const [weight = 0, ...colour] = sums.subarray(largest, largest + SUMS);
  return weight === 0 ? WHITE : hex(colour, weight);
}

function top(channel: number): number {
  return channel >> (8 - BIN_BITS);
}

function hex(sums: readonly number[], weight: number): string {
  const channels = sums.map((sum) =>
    Math.round(sum / weight)
      .toString(16)
      .padStart(2, '0'),
  );
  return `#${channels.join('')}`;
}
