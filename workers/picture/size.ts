/** A size in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Scales `size` down so that its longer side is at most `longestSide`. */
export function fitWithin(size: Size, longestSide: number): Size {
  return scaledTo(size, longestSide / Math.max(size.width, size.height));
}

/** Scales `size` by `scale`. The result is never larger than `size` and at least one pixel wide and high. */
export function scaledTo(size: Size, scale: number): Size {
  if (scale >= 1) {
    return { width: size.width, height: size.height };
  }
  return { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) };
}

/** Returns the number of pixels. */
export function areaOf({ width, height }: Size): number {
  return width * height;
}
