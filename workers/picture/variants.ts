import type { Variant } from '../../src/api.ts';
import type { StepContext } from '../processor.ts';
import { encode, encodeAnimation } from './encode.ts';
import type { KeptExif } from './kept-exif.ts';
import { shrink, type Pixels } from './libvips.ts';
import { ANIMATION_FACTOR, PREVIEW_LONGEST_SIDE } from './limits.ts';
import type { PlannedVariant } from './plan.ts';
import { readError } from './read-error.ts';
import { areaOf } from './size.ts';
import type { PictureState } from './state.ts';
import type { StepBounds } from './step-bounds.ts';
import { boundsOf, type PictureTools } from './tools.ts';

const SLOW_TO_WRITE = { does: 'Making the variants of this picture', advice: 'Ask for fewer or smaller ones, or for WebP in place of AVIF.' };

/** Makes and publishes the variants, largest first, each from the pixels of the one before it. */
export function variants(tools: PictureTools) {
  return async (state: PictureState, context: StepContext): Promise<void> => {
    const plan = state.plan.get().variants;
    const bounds = boundsOf(tools, context.signal, SLOW_TO_WRITE);
    const total = plan.reduce((sum, { size }) => sum + areaOf(size), 0);
    const published: Variant[] = [];
    const exif = state.kept.get();
    let pixels = state.decoded.get();
    let smallest = pixels;
    let done = 0;
    for (const planned of plan) {
      if (!planned.isAnimated) pixels = await bounds.wait(() => shrink(pixels, planned.whole));
      const bytes = planned.isAnimated
        ? await animated(planned, context.inputPath, tools.limits.maxPixels, exif, bounds)
        : await still(planned, pixels, exif, bounds);
      published.push(await publish(planned, bytes, context));
      if (Math.max(pixels.width, pixels.height) >= PREVIEW_LONGEST_SIDE) smallest = pixels;
      done += areaOf(planned.size);
      context.reportFraction(done / total);
    }
    state.variants.set(published);
    state.smallest.set(smallest);
  };
}

async function still({ spec, size }: PlannedVariant, pixels: Pixels, exif: KeptExif | undefined, bounds: StepBounds): Promise<Buffer> {
  const { format, quality } = spec;
  return await bounds.wait((maxSeconds) => encode(pixels, { size, format, quality, exif, maxSeconds }));
}

/** Frames after the first are read here for the first time, so the file may turn out to be damaged. */
async function animated({ spec, size }: PlannedVariant, path: string, maxPixels: number, exif: KeptExif | undefined, bounds: StepBounds): Promise<Buffer> {
  const { quality, fit = 'inside' } = spec;
  const begin = (maxSeconds: number) => encodeAnimation(path, { size, fit, quality, exif }, { maxPixels: ANIMATION_FACTOR * maxPixels, maxSeconds });
  return await bounds.wait(begin).catch((error: unknown) => {
    throw readError(error);
  });
}

async function publish({ spec, size }: PlannedVariant, bytes: Buffer, context: StepContext): Promise<Variant> {
  const { name, format } = spec;
  context.signal.throwIfAborted();
  const variant = await context.publishVariant({ name, format, ...size }, bytes);
  context.signal.throwIfAborted();
  return variant;
}
