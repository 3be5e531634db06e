import { describe, expect, test } from '@jest/globals';
import { HEIC_TYPES, PICTURE_TYPES, pictureKind } from '../../../src/kinds/picture.ts';
import { DEFAULT_PICTURE_OPTIONS } from '../../../src/kinds/picture-options.ts';
import { createPictureProcessor } from '../../../workers/picture/processor.ts';
import type { Processor } from '../../../workers/processor.ts';
import { createProcessors, createProcessorTable, processorEntry } from '../../../workers/processors.ts';
import { fakeContext, uploadOf, withFile } from '../../helpers/process-picture.ts';
import { hugeClaim, quarters } from '../../helpers/pictures.ts';
import { TINY_PICTURE } from '../../helpers/results.ts';

const SETTINGS = {
  pictureMaxPixels: 1,
  pictureMaxFrames: 1,
  pictureMaxOutputPixels: 1_000_000_000,
  pictureStepTimeoutMs: 60_000,
  pictureOptions: DEFAULT_PICTURE_OPTIONS,
};

describe('the table of processors', () => {
  test('has a processor for every type that the intake accepts', () => {
    const table = createProcessors(SETTINGS);
    const types = [...PICTURE_TYPES, ...HEIC_TYPES];
    expect(types.map((type) => table.find(type)?.kind)).toEqual(types.map(() => 'picture'));
  });

  test.each(['image/svg+xml', 'image/heic-sequence', 'text/plain', ''])('has no processor for %p', (type) => {
    expect(createProcessors(SETTINGS).find(type)).toBeUndefined();
  });

  test('passes the limit in the settings to the picture processor', async () => {
    const table = createProcessors({ ...SETTINGS, pictureMaxPixels: 99 });
    const process = async (path: string) =>
      await table
        .find('image/png')
        ?.run({ ...fakeContext(path), upload: await uploadOf(hugeClaim()) }, { report: () => undefined });
    await expect(withFile(hugeClaim(10, 10), process)).rejects.toMatchObject({ code: 'picture_too_large' });
  });

  test('accepts a processor of another kind with a state of its own', async () => {
    const counter: Processor<{ steps: number }> = {
      kind: 'counter',
      steps: [{ name: 'count', weight: 1, run: async (state) => void (state.steps += 1) }],
      begin: () => ({ steps: 0 }),
      result: (state) => ({ ...TINY_PICTURE, format: 'none', width: state.steps }),
    };
    const table = createProcessorTable([
      processorEntry(pictureKind(), createPictureProcessor()),
      processorEntry({ name: 'counter', types: ['text/x-counter'] }, counter),
    ]);
    const result = await table.find('text/x-counter')?.run(fakeContext('/nowhere'), { report: () => undefined });
    expect(result).toMatchObject({ format: 'none', width: 1 });
    const still = await withFile(
      await quarters(),
      async (path) => await table.find('image/jpeg')?.run(fakeContext(path), { report: () => undefined }),
    );
    expect(still).toMatchObject({ kind: 'picture', format: 'jpeg' });
  });

  test('rejects two processors for one type', () => {
    const entry = processorEntry(pictureKind(), createPictureProcessor());
    expect(() => createProcessorTable([entry, { ...entry, kind: 'other' }])).toThrow(
      'image/jpeg is taken by both picture and other',
    );
  });

  test('rejects a processor under the name of another kind', () => {
    expect(() => processorEntry({ name: 'table', types: [] }, createPictureProcessor())).toThrow(
      'kind table is paired with a processor of picture',
    );
  });
});
