import type { PictureFormat } from '../../src/kinds/picture-options.ts';
import type { PicturePlan, PlannedVariant } from './plan.ts';
import { areaOf, type Size } from './size.ts';

/** Estimated time of each step on one thread, in milliseconds. The ratio is more accurate than the values. */
export interface PictureCosts {
  readonly decode: number;
  readonly variants: number;
}

/** The facts about a file that its cost depends on, apart from the plan. */
export interface CostlyFacts extends Size {
  /** The name that the result uses. */
  readonly format: string;
  readonly frames: number;
  /** Progressive or interlaced: it cannot be decoded row by row or at a reduced size. */
  readonly isProgressive: boolean;
  /** True if the colours go through the colour management of libvips. */
  readonly isManaged: boolean;
}

/** A photo of 12 megapixels with the default variants. Used until `inspect` knows the real costs. */
export const TYPICAL_COSTS: PictureCosts = { decode: 60, variants: 75 };

// Milliseconds per megapixel, measured on 2026-11-21 on a core of an AMD EPYC.
const READ_MS: Readonly<Record<string, number>> = {
  jpeg: 5,
  png: 10,
  webp: 20,
  avif: 50,
  gif: 10,
  tiff: 7,
  heic: 110,
  heif: 110,
};
const PROGRESSIVE_FACTOR = 2.5;
const MANAGED_MS = 50;
const WRITE_MS: Readonly<Record<PictureFormat, number>> = { webp: 30, jpeg: 6, avif: 48, png: 45 };

/** The cost of formats that are not listed. */
const OTHER_MS = 10;

/** Returns the costs of a whole picture. */
export function costsOf(facts: CostlyFacts, { decoded, variants }: PicturePlan): PictureCosts {
  return {
    decode:
      megapixels(facts) * readMs(facts) * (facts.isProgressive ? PROGRESSIVE_FACTOR : 1) +
      (facts.isManaged ? megapixels(decoded) * MANAGED_MS : 0),
    variants: variants.reduce((sum, planned) => sum + variantCost(facts, planned), 0),
  };
}

/** Returns the cost of one variant in milliseconds. For an animation it includes reading the frames. */
export function variantCost(facts: CostlyFacts, { size, spec, isAnimated }: PlannedVariant): number {
  const write = megapixels(size) * WRITE_MS[spec.format];
  return isAnimated ? facts.frames * (write + megapixels(facts) * readMs(facts)) : write;
}

function readMs({ format }: CostlyFacts): number {
  return READ_MS[format] ?? OTHER_MS;
}

function megapixels(size: Size): number {
  return areaOf(size) / 1e6;
}
