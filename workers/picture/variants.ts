import type { Variant } from '../../src/wire/documents.ts';
import type { StepContext } from '../processor.ts';
import { variantCost } from './costs.ts';
import { encode, encodeAnimation } from './encode.ts';
import type { KeptExif } from './kept-exif.ts';
import { shrink, type Pixels } from './libvips.ts';
import { ANIMATION_FACTOR, PREVIEW_LONGEST_SIDE } from './limits.ts';
import type { PlannedVariant } from './plan.ts';
import { readError } from './read-error.ts';
import type { PictureState } from './state.ts';
import type { StepBounds } from './step-bounds.ts';
import { boundsOf, type PictureTools } from './tools.ts';

const SLOW_TO_WRITE = {
  does: 'Creating the variants of the picture',
  advice: 'Request fewer or smaller variants, or WebP instead of AVIF.',
};

/**
 * Creates the step that produces the variants, largest first, each from the pixels of the previous one. While one
 * variant is being stored, the next is produced. At most one waits in memory.
 */
export function variants(tools: PictureTools) {
  return async (state: PictureState, context: StepContext): Promise<void> => {
    const { variants: plan, lastStill } = state.plan.get();
    const bounds = boundsOf(tools, context.signal, SLOW_TO_WRITE);
    const [costly, total] = [state.costly.get(), state.costs.get().variants];
    const publishing: Promise<Variant>[] = [];
    const exif = state.kept.get();
    let pixels = state.decoded.get();
    let smallest = pixels;
    let done = 0;
    for (const planned of plan) {
      // No other variant is made from the last one, so its pixels are not scaled.
      if (!planned.isAnimated && planned !== lastStill) pixels = await bounds.wait(() => shrink(pixels, planned.whole));
      if (Math.max(pixels.width, pixels.height) >= PREVIEW_LONGEST_SIDE) smallest = pixels;
      const bytes = planned.isAnimated
        ? await animated(planned, state, tools.limits.maxPixels, bounds)
        : await still(planned, pixels, exif, bounds);
      await publishing.at(-1);
      context.signal.throwIfAborted();
      publishing.push(
        context.publishVariant({ name: planned.spec.name, format: planned.spec.format, ...planned.size }, bytes),
      );
      done += variantCost(costly, planned);
      context.reportFraction(done / total);
    }
    state.publishing.set(publishing);
    state.smallest.set(smallest);
  };
}

async function still(
  { spec, whole, size }: PlannedVariant,
  pixels: Pixels,
  exif: KeptExif | undefined,
  bounds: StepBounds,
): Promise<Buffer> {
  const { format, quality } = spec;
  return await bounds.wait((maxSeconds) => encode(pixels, { whole, size, format, quality, exif, maxSeconds }));
}

/**
 * Makes an animated variant. Frames after the first are read for the first time here, so damage of the file may show
 * only now.
 */
async function animated(
  { spec, size }: PlannedVariant,
  state: PictureState,
  maxPixels: number,
  bounds: StepBounds,
): Promise<Buffer> {
  const { quality, fit = 'inside' } = spec;
  const { frames } = state.facts.get();
  const begin = (maxSeconds: number) =>
    encodeAnimation(
      state.input.get(),
      { size, fit, frames, quality, exif: state.kept.get() },
      { maxPixels: ANIMATION_FACTOR * maxPixels, maxSeconds },
    );
  return await bounds.wait(begin).catch((error: unknown) => {
    throw readError(error);
  });
}
