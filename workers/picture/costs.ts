import type { PictureFormat } from '../../src/kinds/picture-options.ts';
import type { PicturePlan, PlannedVariant } from './plan.ts';
import { areaOf, type Size } from './size.ts';

/** What a step takes of one thread, in milliseconds; right in proportion rather than in amount. */
export interface PictureCosts {
  readonly decode: number;
  readonly variants: number;
}

/** What a plan does not say of the file that it is for. */
export interface CostlyFacts extends Size {
  /** As a result names it. */
  readonly format: string;
  readonly frames: number;
  /** Progressive or interlaced: nothing of it can be decoded row by row, or smaller than it is. */
  readonly isProgressive: boolean;
  /** Its colours go through the library's colour management. */
  readonly isManaged: boolean;
}

/** By the header, a photo of 12 megapixels to the three sizes of the default set. */
export const TYPICAL_COSTS: PictureCosts = { decode: 60, variants: 75 };

// All by the megapixel, measured on 2026-11-21 on a core of an AMD EPYC.
const READ_MS: Readonly<Record<string, number>> = { jpeg: 5, png: 10, webp: 20, avif: 50, gif: 10, tiff: 7 };
const PROGRESSIVE_FACTOR = 2.5;
const MANAGED_MS = 50;
const WRITE_MS: Readonly<Record<PictureFormat, number>> = { webp: 30, jpeg: 6, avif: 48, png: 45 };

/** Of what is not listed. */
const OTHER_MS = 10;

/** Of a whole picture. */
export function costsOf(facts: CostlyFacts, { decoded, variants }: PicturePlan): PictureCosts {
  return {
    decode:
      megapixels(facts) * readMs(facts) * (facts.isProgressive ? PROGRESSIVE_FACTOR : 1) +
      (facts.isManaged ? megapixels(decoded) * MANAGED_MS : 0),
    variants: variants.reduce((sum, planned) => sum + variantCost(facts, planned), 0),
  };
}

/** Of one variant; of one that moves, the reading of its frames is part of it. */
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
