/** What a picture may ask of a worker. */
export interface PictureLimits {
  /** Width times height, by the file's own header, before anything is decoded. */
  readonly maxPixels: number;
  /** Whole seconds. */
  readonly maxDecodeSeconds: number;
}

/**
 * What 100 megapixels cost at the worst: progressive JPEG 0.6 GB, interlaced 16-bit PNG 0.9, AVIF 1.8.
 * What can be decoded row by row, as most photos can, takes about a tenth of one.
 */
export const PICTURE_LIMITS: PictureLimits = { maxPixels: 100_000_000, maxDecodeSeconds: 60 };

/** What the small facts are told from, such as the thumbhash, which takes no more. */
export const PREVIEW_LONGEST_SIDE = 100;
