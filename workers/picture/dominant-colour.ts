import type { Buffer } from 'node:buffer';
import type { PictureState } from './state.ts';

/** Two pixels count as the same colour if this many upper bits of each channel are equal. */
const BIN_BITS = 4;
const WHITE = '#ffffff';

/** Sets the colour that covers most of the picture. Transparent areas do not count. */
export async function dominantColour(state: PictureState): Promise<void> {
  state.dominantColour.set(dominantColourOf(state.preview.get().data));
}

/**
 * Returns the mean of the largest group of similar colours as `#rrggbb`, or white if the picture is fully transparent.
 */
export function dominantColourOf(rgba: Buffer): string {
  const bins = new Map<number, Bin>();
  let largest: Bin = { weight: 0, red: 0, green: 0, blue: 0 };
  for (let at = 0; at + 3 < rgba.length; at += 4) {
    const [red, green, blue, alpha] = [
      rgba.readUInt8(at),
      rgba.readUInt8(at + 1),
      rgba.readUInt8(at + 2),
      rgba.readUInt8(at + 3),
    ];
    const key = (top(red) << (2 * BIN_BITS)) | (top(green) << BIN_BITS) | top(blue);
    const bin = bins.get(key) ?? { weight: 0, red: 0, green: 0, blue: 0 };
    bin.weight += alpha;
    bin.red += red * alpha;
    bin.green += green * alpha;
    bin.blue += blue * alpha;
    bins.set(key, bin);
    largest = bin.weight > largest.weight ? bin : largest;
  }
  return largest.weight === 0 ? WHITE : hex(largest);
}

/** Sums over the pixels of a group, each weighted by its alpha. */
interface Bin {
  weight: number;
  red: number;
  green: number;
  blue: number;
}

function top(channel: number): number {
  return channel >> (8 - BIN_BITS);
}

function hex({ weight, red, green, blue }: Bin): string {
  const channels = [red, green, blue].map((sum) =>
    Math.round(sum / weight)
      .toString(16)
      .padStart(2, '0'),
  );
  return `#${channels.join('')}`;
}
