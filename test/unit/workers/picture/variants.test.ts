import { describe, expect, test } from '@jest/globals';
import { PICTURE_VARIANTS } from '../../../../src/kinds/picture.ts';
import { variants } from '../../../../workers/picture/variants.ts';
import { createPictureState, type PictureState } from '../../../../workers/picture/state.ts';
import { fractalPixels } from '../../../helpers/fractal.ts';
import { look } from '../../../helpers/look.ts';
import { fakeContext, type FakeContext } from '../../../helpers/process-picture.ts';

const ORIGINAL = { format: 'jpeg', frames: 1, hasAlpha: false, colourSpace: 'srgb', orientation: 1, takenAt: null, camera: null };

/** As inspect and decode leave it, the original being five times as large. */
async function decodedState(width: number, height: number, factor = 5): Promise<PictureState> {
  const state = createPictureState();
  state.facts.set({ ...ORIGINAL, width: width * factor, height: height * factor });
  state.decoded.set({ width, height, channels: 3, data: await fractalPixels(width, height, 1) });
  return state;
}

async function made(width: number, height: number, factor = 5): Promise<{ state: PictureState; context: FakeContext }> {
  const state = await decodedState(width, height, factor);
  const context = fakeContext('/nowhere');
  await variants(state, context);
  return { state, context };
}

describe('the variants of a picture', () => {
  test('are the three of the default set, with the sizes and formats that they say', async () => {
    const { state, context } = await made(1600, 1067);
    expect(state.variants.get().map(({ name, format, width, height }) => [name, format, width, height])).toEqual([
      ['1600', 'webp', 1600, 1067],
      ['640', 'webp', 640, 427],
      ['160', 'jpeg', 160, 107],
    ]);
    for (const variant of state.variants.get()) {
      const bytes = context.files.get(variant.name) ?? Buffer.alloc(0);
      const { metadata } = await look(bytes);
      expect(metadata).toMatchObject({ format: variant.format, width: variant.width, height: variant.height });
      expect(variant.size).toBe(bytes.length);
    }
  });

  test('of a small picture are as small as it is', async () => {
    const { state } = await made(300, 200, 1);
    expect(state.variants.get().map(({ width, height }) => [width, height])).toEqual([[300, 200], [300, 200], [160, 107]]);
  });

  test('leave the smallest pixels for the steps to come', async () => {
    const { state } = await made(320, 200);
    expect(state.smallest.get()).toMatchObject({ width: 160, height: 100 });
  });

  test('are told of by their share of pixels, up to the whole', async () => {
    const { context } = await made(1600, 1200);
    expect(context.fractions).toHaveLength(PICTURE_VARIANTS.length);
    expect(context.fractions[0]).toBeCloseTo(0.855, 2);
    expect(context.fractions.at(-1)).toBe(1);
  });
});

describe('a cancel', () => {
  test('between two variants leaves the rest unmade', async () => {
    const controller = new AbortController();
    const context = fakeContext('/nowhere', controller.signal);
    const reason = new Error('cancelled');
    const cancelling = {
      ...context,
      async publishVariant(...variant: Parameters<FakeContext['publishVariant']>) {
        controller.abort(reason);
        return await context.publishVariant(...variant);
      },
    };
    await expect(variants(await decodedState(320, 200), cancelling)).rejects.toBe(reason);
    expect([...context.files.keys()]).toEqual(['1600']);
  });

  test('while one is encoded leaves it unpublished', async () => {
    const controller = new AbortController();
    const context = fakeContext('/nowhere', controller.signal);
    const run = variants(await decodedState(1600, 1200), context);
    setImmediate(() => controller.abort(new Error('cancelled')));
    await expect(run).rejects.toThrow('cancelled');
    expect(context.files.size).toBe(0);
  });
});

test('a store that fails is a fault of ours, as it came', async () => {
  const fault = new Error('disk');
  const failing = { ...fakeContext('/nowhere'), publishVariant: async () => await Promise.reject(fault) };
  await expect(variants(await decodedState(32, 20), failing)).rejects.toBe(fault);
});
