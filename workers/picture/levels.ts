import type { Pixels } from './libvips.ts';
import { levelOfLight } from './to-srgb.ts';

const [BLACK, WHITE] = [16, 235];

const FULL_RANGE = Uint8Array.from({ length: 256 }, (_, level) =>
  Math.min(255, Math.max(0, Math.round(((level - BLACK) * 255) / (WHITE - BLACK)))),
);

/** Spreads the levels of a picture from 16 to 235 over the range from 0 to 255, in place. */
export function toFullRange(pixels: Pixels): void {
  replaceLevels(pixels, FULL_RANGE);
}

/**
 * Converts the levels of a picture to those of sRGB, in place.
 * @param gamma a level is the light to the power of this number (PNG third edition, section 11.3.2.2).
 */
export function fromGamma(pixels: Pixels, gamma: number): void {
  replaceLevels(
    pixels,
    Uint8Array.from({ length: 256 }, (_, level) => levelOfLight((level / 255) ** (1 / gamma))),
  );
}

/** Alpha is left as it is. */
function replaceLevels({ data, channels }: Pixels, levels: Uint8Array): void {
  const colours = channels === 2 || channels === 4 ? channels - 1 : channels;
  for (let at = 0; at < data.length; at += channels) {
    for (let channel = 0; channel < colours; channel++) data[at + channel] = levels[data[at + channel] ?? 0] ?? 0;
  }
}
