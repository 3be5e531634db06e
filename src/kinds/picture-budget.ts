/** The work that an encoder takes for a pixel, and the memory, with WebP's as 1. */
const WEIGHTS = { jpeg: 0.25, webp: 1, png: 2, avif: 4 };

/** One picture to be written. */
export interface OutputPixels {
  readonly format: keyof typeof WEIGHTS;
  /** Of all its frames. */
  readonly pixels: number;
}

/** Pixels that a set of variants has in all, counted as pixels of WebP by what their formats cost. */
export function weighedPixels(outputs: readonly OutputPixels[]): number {
  return Math.round(outputs.reduce((sum, { format, pixels }) => sum + WEIGHTS[format] * pixels, 0));
}

/** What a variant's options say of its size. */
export interface WantedBox extends Pick<OutputPixels, 'format'> {
  readonly fit?: string;
  readonly width?: number;
  readonly height?: number;
}

/** The part of it that is known without the picture: boxes that are filled with margins. */
export function leastWeighedPixels(variants: readonly WantedBox[]): number {
  return weighedPixels(
    variants.map(({ format, fit, width = 0, height = 0 }) => ({
      format,
      pixels: fit === 'contain' ? width * height : 0,
    })),
  );
}

/** Says that it is too much, and what to do: a sentence, then another without its full stop. */
export function tooManyPixels(found: number, most: number): string {
  return `The variants have ${inMillions(found)} pixels, counted by what their formats cost; at most ${inMillions(most)} are made. Ask for fewer or smaller ones, or for WebP in place of AVIF or PNG`;
}

function inMillions(pixels: number): string {
  return pixels < 1_000_000 ? pixels.toLocaleString('en') : `${Math.ceil(pixels / 1e6).toLocaleString('en')} million`;
}
