import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineKind, defineProcessor, type ProcessFile } from '../../../../src/kinds/own/definition.ts';
import { ownKind } from '../../../../src/kinds/own/own-kind.ts';
import { PROCESSOR_INTERFACE } from '../../../../src/kinds/own/processor-interface.ts';

/** The type of the options follows from the schema, which only the type check of this file can show. */
const sound = defineKind({
  name: 'sound',
  types: ['audio/wav'],
  options: z.strictObject({ peaks: z.int().max(9).default(4) }),
  fileNames: ({ peaks }) => Array.from({ length: peaks }, (_, index) => `peak-${index}.json`),
});
const countPeaks: ProcessFile<{ peaks: number }> = async ({ options }) => ({ peaks: options.peaks });

describe('the definition of a processor', () => {
  test('gets the version of the interface, and so does its kind', () => {
    const processor = defineProcessor({ kind: sound, load: async () => countPeaks });
    expect([sound.interfaceVersion, processor.interfaceVersion]).toEqual([PROCESSOR_INTERFACE, PROCESSOR_INTERFACE]);
  });

  test('is rejected with all its mistakes', () => {
    expect(() => defineKind({ name: 'Sound', types: ['wav'] })).toThrow(
      /^defineKind: name must be .*; types\[0\] must be a media type/,
    );
  });
});

describe('a kind of somebody else', () => {
  test('checks options by its schema, and has the files that the options ask for', () => {
    const kind = ownKind(sound);
    expect(kind.options.safeParse({})).toEqual({ success: true, data: { peaks: 4 } });
    expect(kind.options.safeParse({ peaks: 10 }).error?.issues).toMatchObject([{ path: ['peaks'] }]);
    expect(kind.variantNames({ peaks: 1 })).toEqual(['peak-0.json']);
    expect('mayHave' in kind).toBe(false);
  });

  test('accepts no options without a schema, and any valid file name without a list of names', () => {
    const kind = ownKind(defineKind({ name: 'any', types: ['a/b'] }));
    expect([{}, undefined, { a: 1 }, []].map((options) => kind.options.safeParse(options).success)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(['page-1.png', 'page', '../a.png', 'a b.png'].map((name) => kind.mayHave?.(name))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('recognizes nothing if its functions throw or return other values', () => {
    const sample = { head: Buffer.from('x'), isWhole: true, options: {} };
    const fail = (): never => {
      throw new Error('no');
    };
    const kind = ownKind({ name: 'a', types: ['a/b'], sniff: fail, fileNames: fail });
    expect([kind.sniff?.(sample), kind.variantNames({})]).toEqual([undefined, []]);
    expect(ownKind({ name: 'a', types: ['a/b'], sniff: () => 'image/png' }).sniff?.(sample)).toBeUndefined();
  });

  test('rejects options if its schema throws or is async', () => {
    const validate = (value: unknown) => Promise.resolve({ value });
    const late = ownKind({
      name: 'a',
      types: ['a/b'],
      options: { '~standard': { version: 1, vendor: 'a', validate } },
    });
    expect(late.options.safeParse({}).error?.issues).toEqual([
      { path: [], message: 'cannot be checked, because the schema is async' },
    ]);
  });
});
