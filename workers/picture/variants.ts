import type { Variant } from '../../src/api.ts';
import type { StepContext } from '../processor.ts';
import type { KeptExif } from './kept-exif.ts';
import { encode, shrink, type Pixels } from './libvips.ts';
import { PREVIEW_LONGEST_SIDE } from './limits.ts';
import type { PlannedVariant } from './plan.ts';
import { areaOf } from './size.ts';
import type { PictureState } from './state.ts';

/** Makes and publishes the variants, largest first, each from the pixels of the one before it. */
export async function variants(state: PictureState, context: StepContext): Promise<void> {
  const plan = state.plan.get().variants;
  const total = plan.reduce((sum, { size }) => sum + areaOf(size), 0);
  const published: Variant[] = [];
  let pixels = state.decoded.get();
  let smallest = pixels;
  let done = 0;
  for (const planned of plan) {
    pixels = await shrink(pixels, planned.whole);
    context.signal.throwIfAborted();
    published.push(await publish(planned, pixels, state.kept.get(), context));
    context.signal.throwIfAborted();
    if (Math.max(pixels.width, pixels.height) >= PREVIEW_LONGEST_SIDE) smallest = pixels;
    done += areaOf(planned.size);
    context.reportFraction(done / total);
  }
  state.variants.set(published);
  state.smallest.set(smallest);
}

async function publish({ spec, size }: PlannedVariant, pixels: Pixels, exif: KeptExif | undefined, context: StepContext): Promise<Variant> {
  const { name, format, quality } = spec;
  const bytes = await encode(pixels, { size, format, quality, exif });
  context.signal.throwIfAborted();
  return await context.publishVariant({ name, format, ...size }, bytes);
}
