import { describe, expect, test } from '@jest/globals';
import type { Variant } from '../../../../src/wire/documents.ts';
import { DEFAULT_PICTURE_OPTIONS, type VariantSpec } from '../../../../src/kinds/picture-options.ts';
import { costsOf } from '../../../../workers/picture/costs.ts';
import { planPicture } from '../../../../workers/picture/plan.ts';
import { variants } from '../../../../workers/picture/variants.ts';
import { createPictureState, type PictureState } from '../../../../workers/picture/state.ts';
import { fractalPixels } from '../../../helpers/fractal.ts';
import { seePicture } from '../../../helpers/seen-picture.ts';
import { fakeContext, pictureTools, type FakeContext } from '../../../helpers/process-picture.ts';
import { TINY_PICTURE } from '../../../helpers/results.ts';

/** Makes the state after inspect and decode, for an original that is five times as large. */
async function decodedState(
  width: number,
  height: number,
  factor = 5,
  specs: readonly VariantSpec[] = DEFAULT_PICTURE_OPTIONS.variants,
): Promise<PictureState> {
  const state = createPictureState();
  state.facts.set({ ...TINY_PICTURE, width: width * factor, height: height * factor });
  state.kept.set(undefined);
  const plan = planPicture({ ...state.facts.get(), isAnimated: false }, specs);
  const costly = { ...state.facts.get(), isProgressive: false, isManaged: false };
  state.plan.set(plan);
  state.costly.set(costly);
  state.costs.set(costsOf(costly, plan));
  state.decoded.set({ width, height, channels: 3, data: await fractalPixels(width, height, 1) });
  return state;
}

interface Made {
  state: PictureState;
  published: Variant[];
  context: FakeContext;
}

async function made(width: number, height: number, factor = 5, specs?: readonly VariantSpec[]): Promise<Made> {
  const state = await decodedState(width, height, factor, specs);
  const context = fakeContext('/nowhere');
  await variants(pictureTools())(state, context);
  return { state, published: await Promise.all(state.publishing.get()), context };
}

describe('variants of a picture', () => {
  test('are the three of the default set, in their sizes and formats', async () => {
    const { published, context } = await made(1600, 1067);
    expect(published.map(({ name, format, width, height }) => [name, format, width, height])).toEqual([
      ['1600', 'webp', 1600, 1067],
      ['640', 'webp', 640, 427],
      ['160', 'jpeg', 160, 107],
    ]);
    for (const variant of published) {
      const bytes = context.files.get(variant.name) ?? Buffer.alloc(0);
      const { metadata } = await seePicture(bytes);
      expect(metadata).toMatchObject({ format: variant.format, width: variant.width, height: variant.height });
      expect(variant.size).toBe(bytes.length);
    }
  });

  test('are as small as a small picture', async () => {
    const { published } = await made(300, 200, 1);
    expect(published.map(({ width, height }) => [width, height])).toEqual([
      [300, 200],
      [300, 200],
      [160, 107],
    ]);
  });

  test('leave the smallest pixels for later steps', async () => {
    const { state } = await made(320, 200);
    expect(state.smallest.get()).toMatchObject({ width: 640, height: 400 });
    expect(
      (
        await made(400, 300, 5, [
          { name: 'a', width: 300, format: 'png' },
          { name: 'b', width: 200, format: 'png' },
          { name: 'c', width: 9, format: 'png' },
        ])
      ).state.smallest.get(),
    ).toMatchObject({ width: 200 });
  });

  test('report progress by their costs, up to 1', async () => {
    const { context } = await made(1600, 1200);
    expect(context.fractions).toHaveLength(3);
    expect(context.fractions[0]).toBeCloseTo(0.86, 2);
    expect(context.fractions.at(-1)).toBe(1);
  });
});

describe('requested variants', () => {
  const specs: VariantSpec[] = [
    { name: 'tile', width: 50, height: 50, fit: 'cover', format: 'png' },
    { name: 'wide', width: 400, format: 'avif', quality: 55 },
    { name: 'card', width: 100, height: 100, fit: 'contain', format: 'jpeg', quality: 80 },
  ];

  test('have the requested sizes and formats, the largest first', async () => {
    const { published, context } = await made(400, 300, 2, specs);
    expect(published.map(({ name, format, width, height }) => [name, format, width, height])).toEqual([
      ['wide', 'avif', 400, 300],
      ['card', 'jpeg', 100, 100],
      ['tile', 'png', 50, 50],
    ]);
    for (const { name, format, width, height } of published) {
      const { metadata } = await seePicture(context.files.get(name) ?? Buffer.alloc(0));
      expect(metadata).toMatchObject({ format: format === 'avif' ? 'heif' : format, width, height });
    }
  });

  test('may be smaller than the preview, which is still made', async () => {
    const { state } = await made(400, 300, 2, [{ name: 'icon', longestSide: 16, format: 'png' }]);
    expect(state.smallest.get()).toMatchObject({ width: 400 });
    expect((await made(400, 300, 2, [])).published).toEqual([]);
  });
});

describe('cancel of the variants', () => {
  test('between two variants leaves the remaining ones out', async () => {
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
    await expect(variants(pictureTools())(await decodedState(320, 200), cancelling)).rejects.toBe(reason);
    expect([...context.files.keys()]).toEqual(['1600']);
  });

  test('during encoding leaves that variant unpublished', async () => {
    const controller = new AbortController();
    const context = fakeContext('/nowhere', controller.signal);
    const run = variants(pictureTools())(await decodedState(1600, 1200), context);
    setImmediate(() => controller.abort(new Error('cancelled')));
    await expect(run).rejects.toThrow('cancelled');
    expect(context.files.size).toBe(0);
  });
});

test('an error of the storage is passed on unchanged, and nothing more is published', async () => {
  const fault = new Error('disk');
  let calls = 0;
  const publishVariant = (): Promise<never> => {
    calls += 1;
    const failed = Promise.reject(fault);
    // The pipeline handles the rejection at the end.
    failed.catch(() => undefined);
    return failed;
  };
  await expect(
    variants(pictureTools())(await decodedState(320, 200), { ...fakeContext('/nowhere'), publishVariant }),
  ).rejects.toBe(fault);
  expect(calls).toBe(1);
});
