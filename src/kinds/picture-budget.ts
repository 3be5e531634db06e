/** Time and memory that an encoder needs for a pixel, compared with WebP. */
const WEIGHTS = { jpeg: 0.25, webp: 1, png: 2, avif: 4 };

/** One picture to write. */
interface OutputPixels {
  readonly format: keyof typeof WEIGHTS;
  /** The number of pixels of all frames. */
  readonly pixels: number;
}

/** Returns the pixels of all variants, weighted by the cost of their formats. A pixel of WebP counts 1. */
export function weighedPixels(outputs: readonly OutputPixels[]): number {
  return Math.round(outputs.reduce((sum, { format, pixels }) => sum + WEIGHTS[format] * pixels, 0));
}

/** The size that the options of a variant ask for. */
interface WantedBox extends Pick<OutputPixels, 'format'> {
  readonly fit?: string;
  readonly width?: number;
  readonly height?: number;
}

/** Returns the part of `weighedPixels` that is known without the picture: boxes that are filled with margins. */
export function leastWeighedPixels(variants: readonly WantedBox[]): number {
  return weighedPixels(
    variants.map(({ format, fit, width = 0, height = 0 }) => ({
      format,
      pixels: fit === 'contain' ? width * height : 0,
    })),
  );
}

/** Returns two sentences for an error: the limit that is exceeded, and what to do. The last full stop is left out. */
export function tooManyPixels(found: number, most: number): string {
  return (
    `The variants have ${inMillions(found)} pixels, weighted by the cost of their formats. ` +
    `At most ${inMillions(most)} are allowed. ` +
    'Ask for fewer or smaller variants, or for WebP instead of AVIF or PNG'
  );
}

function inMillions(pixels: number): string {
  return pixels < 1_000_000 ? pixels.toLocaleString('en') : `${Math.ceil(pixels / 1e6).toLocaleString('en')} million`;
}
