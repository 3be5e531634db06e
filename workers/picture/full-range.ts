import type { Pixels } from './libvips.ts';

const [BLACK, WHITE] = [16, 235];

const LEVELS = Uint8Array.from({ length: 256 }, (_, level) =>
  Math.min(255, Math.max(0, Math.round(((level - BLACK) * 255) / (WHITE - BLACK)))),
);

/** Spreads the levels of a picture from 16 to 235 over the range from 0 to 255, in place. Alpha is left as it is. */
export function toFullRange({ data, channels }: Pixels): void {
  const colours = channels === 2 || channels === 4 ? channels - 1 : channels;
  for (let at = 0; at < data.length; at += channels) {
    for (let channel = 0; channel < colours; channel++) data[at + channel] = LEVELS[data[at + channel] ?? 0] ?? 0;
  }
}
