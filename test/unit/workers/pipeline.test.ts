import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Result } from '../../../src/wire/documents.ts';
import { runPipeline, type PipelineReport } from '../../../workers/pipeline.ts';
import type { Processor, StepContext } from '../../../workers/processor.ts';
import { fakeContext } from '../../helpers/process-picture.ts';
import { TINY_PICTURE } from '../../helpers/results.ts';

type Run = (log: string[], context: StepContext) => void | Promise<void>;

/** Makes a processor whose state is a log of its steps. `ended` receives the states that were released. */
function processorOf(
  steps: readonly [name: string, weight: number, run?: Run][],
  ended: string[][] = [],
): Processor<string[]> {
  return {
    kind: 'picture',
    steps: steps.map(([name, weight, run]) => ({
      name,
      weight,
      async run(log, context) {
        log.push(name);
        await run?.(log, context);
      },
    })),
    begin: () => [],
    result: () => TINY_PICTURE,
    end: (log) => void ended.push(log),
  };
}

async function run(
  processor: Processor<string[]>,
  signal?: AbortSignal,
): Promise<{ reports: PipelineReport[]; result: Result }> {
  const reports: PipelineReport[] = [];
  const result = await runPipeline(processor, fakeContext('/nowhere', signal), {
    report: (report) => reports.push(report),
  });
  return { reports, result };
}

describe('a successful pipeline', () => {
  test('runs the steps in order, returns the result and releases the state', async () => {
    const ended: string[][] = [];
    const { result } = await run(
      processorOf(
        [
          ['one', 1],
          ['two', 1],
          ['three', 1],
        ],
        ended,
      ),
    );
    expect(result).toBe(TINY_PICTURE);
    expect(ended).toEqual([['one', 'two', 'three']]);
  });

  test('reports the start of each step with the fraction that the earlier steps make up', async () => {
    const { reports } = await run(
      processorOf([
        ['one', 1],
        ['two', 6],
        ['three', 3],
      ]),
    );
    expect(reports).toEqual([
      { stage: 'one', fraction: 0 },
      { stage: 'two', fraction: 0.1 },
      { stage: 'three', fraction: 0.7 },
    ]);
  });

  test('counts a fraction of a step by the weight of the step', async () => {
    const { reports } = await run(
      processorOf([
        ['one', 1],
        ['two', 3, (_, context) => context.reportFraction(0.5)],
      ]),
    );
    expect(reports.at(-1)).toEqual({ stage: 'two', fraction: 0.625 });
  });

  test('uses new weights that a step has found out, and never lowers the fraction', async () => {
    const state = { weight: 100 };
    const processor: Processor<typeof state> = {
      kind: 'picture',
      steps: [
        {
          name: 'one',
          weight: 100,
          run: async (found, context) => {
            context.reportFraction(0.5);
            found.weight = 900;
          },
        },
        {
          name: 'two',
          weight: ({ weight }) => weight,
          run: async (_, context) => {
            context.reportFraction(0.1);
            context.reportFraction(0.5);
          },
        },
      ],
      begin: () => state,
      result: () => TINY_PICTURE,
    };
    const reports: PipelineReport[] = [];
    await runPipeline(processor, fakeContext('/nowhere'), { report: (report) => reports.push(report) });
    // Half of the first of two equal steps was reported. With the new weights a tenth of the second is less.
    expect(reports).toEqual([
      { stage: 'one', fraction: 0 },
      { stage: 'one', fraction: 0.25 },
      { stage: 'two', fraction: 0.25 },
      { stage: 'two', fraction: 0.55 },
    ]);
  });

  test.each([Number.NaN, -1, 0, Number.NEGATIVE_INFINITY])('does not report a fraction of %p', async (fraction) => {
    const { reports } = await run(processorOf([['one', 1, (_, context) => context.reportFraction(fraction)]]));
    expect(reports).toHaveLength(1);
  });

  test('counts a fraction above one as one', async () => {
    const { reports } = await run(
      processorOf([
        ['one', 1, (_, context) => context.reportFraction(7)],
        ['two', 1],
      ]),
    );
    expect(reports.map((report) => report.fraction)).toEqual([0, 0.5, 0.5]);
  });

  test('ignores a report that comes after its step has ended', async () => {
    let late: ((fraction: number) => void) | undefined;
    const { reports } = await run(
      processorOf([
        ['one', 1, (_, context) => void (late = (fraction) => context.reportFraction(fraction))],
        ['two', 1, () => late?.(1)],
      ]),
    );
    late?.(1);
    expect(reports.map((report) => report.stage)).toEqual(['one', 'two']);
  });

  test('reports how long each step took', async () => {
    const ends: string[] = [];
    await runPipeline(
      processorOf([
        ['one', 1],
        ['two', 1],
      ]),
      fakeContext('/nowhere'),
      { report: () => undefined, stepEnded: (stage, durationMs) => ends.push(`${stage} ${durationMs >= 0}`) },
    );
    expect(ends).toEqual(['one true', 'two true']);
  });

  test('keeps the fraction between 0 and 1 and never lowers it, for any reports', async () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.array(fc.double({ min: -1, max: 2 }))), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const { reports } = await run(
          processorOf(
            list.map(([weight, fractions], index) => [
              `${index}`,
              weight,
              (_, context) => fractions.forEach((fraction) => context.reportFraction(fraction)),
            ]),
          ),
        );
        const fractions = reports.map((report) => report.fraction);
        expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
        expect(fractions.every((fraction) => fraction >= 0 && fraction <= 1)).toBe(true);
        expect(new Set(reports.map((report) => report.stage)).size).toBe(list.length);
      }),
    );
  });

  test('passes on a context that is an instance of a class', async () => {
    class Context {
      readonly upload = { id: '', publicId: '', type: '', sizeBytes: 0, options: {} };
      readonly inputPath = '/nowhere';
      readonly signal = new AbortController().signal;
      readonly #url = '/variants/x';
      async publishVariant(variant: { name: string; format: string; width: number; height: number }) {
        return { ...variant, size: 0, url: this.#url };
      }
      async publishFile() {
        return { size: 0, url: this.#url };
      }
    }
    let url = '';
    const processor = processorOf([
      [
        'one',
        1,
        async (_, context) => {
          url = (await context.publishVariant({ name: 'a', format: 'png', width: 1, height: 1 }, Buffer.alloc(0))).url;
        },
      ],
    ]);
    await runPipeline(processor, new Context(), { report: () => undefined });
    expect(url).toBe('/variants/x');
  });
});

describe('variants that are being stored', () => {
  const VARIANT = { name: 'a', format: 'png', width: 1, height: 1 };
  const published = { ...VARIANT, size: 0, url: '/variants/x/a' };

  /** Makes a processor whose only step publishes and does not wait. */
  const hasty = (more: Run = () => undefined) =>
    processorOf([
      [
        'one',
        1,
        async (log, context) => {
          void context.publishVariant(VARIANT, Buffer.alloc(0));
          await more(log, context);
        },
      ],
    ]);

  async function outcomeOf(
    processor: Processor<string[]>,
    publish: () => Promise<typeof published>,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const context = { ...fakeContext('/nowhere', signal), publishVariant: publish };
    return await runPipeline(processor, context, { report: () => undefined }).catch((error: unknown) => error);
  }

  test.each<[string, Run | undefined]>([
    ['well', undefined],
    [
      'with a fault',
      () => {
        throw new Error('fault');
      },
    ],
  ])('are stored before a run ends %s', async (_, more) => {
    let isThere = false;
    const publish = async () => {
      await new Promise(setImmediate);
      isThere = true;
      return published;
    };
    await outcomeOf(hasty(more), publish);
    expect(isThere).toBe(true);
  });

  test('fail the run if storing fails, even if the step did not wait', async () => {
    const fault = new Error('disk');
    expect(await outcomeOf(hasty(), async () => await Promise.reject(fault))).toBe(fault);
  });

  test('do not fail the run if a cancel has disturbed them', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const publish = async () => {
      await new Promise(setImmediate);
      controller.abort(reason);
      throw new Error('no such file');
    };
    expect(await outcomeOf(hasty(), publish, controller.signal)).toBe(reason);
  });
});

describe('a failing pipeline', () => {
  test('rejects with the error of the step, runs no further step and releases the state', async () => {
    const ended: string[][] = [];
    const fault = new Error('disk');
    const failing: Run = () => {
      throw fault;
    };
    await expect(
      run(
        processorOf(
          [
            ['one', 1, failing],
            ['two', 1],
          ],
          ended,
        ),
      ),
    ).rejects.toBe(fault);
    expect(ended).toEqual([['one']]);
  });

  test('runs no step if the signal has fired already', async () => {
    const ended: string[][] = [];
    const reason = new Error('cancelled');
    await expect(run(processorOf([['one', 1]], ended), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(ended).toEqual([]);
  });

  test('stops between steps with the reason of the signal', async () => {
    const controller = new AbortController();
    const ended: string[][] = [];
    const reason = new Error('cancelled');
    const steps = processorOf(
      [
        ['one', 1, () => controller.abort(reason)],
        ['two', 1],
      ],
      ended,
    );
    await expect(run(steps, controller.signal)).rejects.toBe(reason);
    expect(ended).toEqual([['one']]);
  });

  test('has no result if the signal fires in the last step', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    await expect(run(processorOf([['one', 1, () => controller.abort(reason)]]), controller.signal)).rejects.toBe(
      reason,
    );
  });

  test('rejects with the reason of the signal, not with the error of the step that it disturbed', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const disturbed: Run = () => {
      controller.abort(reason);
      throw new Error('file gone');
    };
    await expect(run(processorOf([['one', 1, disturbed]]), controller.signal)).rejects.toBe(reason);
  });

  test('releases the state if the result cannot be made', async () => {
    const ended: string[][] = [];
    const broken: Processor<string[]> = {
      ...processorOf([['one', 1]], ended),
      result() {
        throw new Error('slot');
      },
    };
    await expect(run(broken)).rejects.toThrow('slot');
    expect(ended).toEqual([['one']]);
  });
});
