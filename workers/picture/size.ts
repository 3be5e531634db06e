/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The largest size of the same shape whose longer side is at most `longestSide`; see `scaledTo`. */
export function fitWithin(size: Size, longestSide: number): Size {
  return scaledTo(size, longestSide / Math.max(size.width, size.height));
}

/** So many times `size`; never larger than it, never less than one pixel wide or high. */
export function scaledTo(size: Size, scale: number): Size {
  if (scale >= 1) {
    return { width: size.width, height: size.height };
  }
  return { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) };
}

/** In square pixels. */
export function areaOf({ width, height }: Size): number {
  return width * height;
}
