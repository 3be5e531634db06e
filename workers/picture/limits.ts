/** What a picture may ask of a worker. */
export interface PictureLimits {
  /** Width times height, by the file's own header, before anything is decoded. */
  readonly maxPixels: number;
  /** Frames of an animation, pages of a TIFF. */
  readonly maxFrames: number;
  /** Of all variants of one picture, counted by what their formats cost. */
  readonly maxOutputPixels: number;
  /** For each step of the processing. */
  readonly stepTimeoutMs: number;
}

/**
 * What 100 megapixels cost at the worst: progressive JPEG 0.6 GB, interlaced 16-bit PNG 0.9, AVIF 1.8.
 * What can be decoded row by row, as most photos can, takes about a tenth of one.
 */
export const PICTURE_LIMITS: PictureLimits = {
  maxPixels: 100_000_000,
  maxFrames: 2000,
  maxOutputPixels: 1_000_000_000,
  stepTimeoutMs: 60_000,
};

/** All frames of an animation together may have so many times the pixels of the largest picture: they are held one at a time. */
export const ANIMATION_FACTOR = 4;

/** What the small facts are told from; a thumbhash has no detail that would show more, and takes its time by the pixel. */
export const PREVIEW_LONGEST_SIDE = 64;
