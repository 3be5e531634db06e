import type { Variant } from '../../src/api.ts';
import { PICTURE_VARIANTS, type VariantSpec } from '../../src/kinds/picture.ts';
import type { StepContext } from '../processor.ts';
import { encode, shrink, type Pixels } from './libvips.ts';
import { fitWithin, type Size } from './size.ts';
import type { PictureState } from './state.ts';

/** Makes and publishes the variants, largest first, each from the pixels of the one before it. */
export async function variants(state: PictureState, context: StepContext): Promise<void> {
  const original = state.facts.get();
  const plan = PICTURE_VARIANTS.map((spec) => ({ spec, size: fitWithin(original, spec.longestSide) }));
  const total = plan.reduce((sum, { size }) => sum + area(size), 0);
  const published: Variant[] = [];
  let pixels = state.decoded.get();
  let done = 0;
  for (const { spec, size } of plan) {
    pixels = await shrink(pixels, size);
    context.signal.throwIfAborted();
    published.push(await publish(spec, pixels, context));
    context.signal.throwIfAborted();
    done += area(size);
    context.reportFraction(done / total);
  }
  state.variants.set(published);
  state.smallest.set(pixels);
}

async function publish(spec: VariantSpec, pixels: Pixels, context: StepContext): Promise<Variant> {
  const bytes = await encode(pixels, spec.format);
  context.signal.throwIfAborted();
  const { name, format } = spec;
  return await context.publishVariant({ name, format, width: pixels.width, height: pixels.height }, bytes);
}

/** What a variant costs grows with its pixels. */
function area({ width, height }: Size): number {
  return width * height;
}
