/** Limits for the processing of a picture. */
export interface PictureLimits {
  /** Maximum of width times height, checked before anything is decoded. A JPEG may claim more than is decoded of it. */
  readonly maxPixels: number;
  /** Frames of an animation or pages of a TIFF. */
  readonly maxFrames: number;
  /** Pixels of all variants of a picture, weighted by the cost of their formats. */
  readonly maxOutputPixels: number;
  /** Time limit of each step. */
  readonly stepTimeoutMs: number;
}

/**
 * The most memory that 100 megapixels need: progressive JPEG 0.6 to 0.8 GB, interlaced 16-bit PNG 0.9 GB, AVIF 1.8 GB.
 * Pictures that can be decoded row by row, as most photos can, need about a tenth of that.
 */
export const PICTURE_LIMITS: PictureLimits = {
  maxPixels: 100_000_000,
  maxFrames: 2000,
  maxOutputPixels: 1_000_000_000,
  stepTimeoutMs: 60_000,
};

/** All frames of an animation together may have this many times `maxPixels`: only one frame is in memory at a time. */
export const ANIMATION_FACTOR = 4;

/** The longer side of the preview. A thumbhash shows no more detail, and its time grows with the number of pixels. */
export const PREVIEW_LONGEST_SIDE = 64;
