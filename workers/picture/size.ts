/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The largest size of the same shape whose longer side is at most `longestSide`; never larger than
 * `size`, never less than one pixel wide or high.
 */
export function fitWithin(size: Size, longestSide: number): Size {
  const scale = longestSide / Math.max(size.width, size.height);
  if (scale >= 1) {
    return { width: size.width, height: size.height };
  }
  return {
    width: Math.max(1, Math.round(size.width * scale)),
    height: Math.max(1, Math.round(size.height * scale)),
  };
}
