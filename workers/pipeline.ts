import type { Variant } from '../src/wire/documents.ts';
import type { AnyResult, Processor, Step, StepContext } from './processor.ts';

/** What the runner of a pipeline supplies; `reportFraction` is the pipeline's own. */
export type PipelineContext = Omit<StepContext, 'reportFraction'>;

/** How far the processing has come. */
export interface PipelineReport {
  /** Name of the step at work. */
  readonly stage: string;
  /** Of the whole processing, 0 to 1; never goes down within one run. */
  readonly fraction: number;
}

/** Who hears how far a pipeline is. */
export interface PipelineHooks {
  /** Called at the start of each step and whenever one says how far it is. Not throttled. */
  report(report: PipelineReport): void;
  /** Called after each step that came to its end, for logs and metrics. */
  stepEnded?(stage: string, durationMs: number): void;
}

/**
 * Runs the steps in order and returns the result. Rejects with the signal's reason as soon as a step
 * is over after it fired, whatever that step did; else with what the step threw. Whatever the ending, no
 * variant is on its way into storage any more by then, and the processor's `end` was called.
 */
export async function runPipeline<State, Made extends AnyResult>(
  processor: Processor<State, Made>,
  context: PipelineContext,
  hooks: PipelineHooks,
): Promise<Made> {
  context.signal.throwIfAborted();
  const state = processor.begin();
  const meter = createMeter(processor.steps, state, hooks);
  const publishing: Promise<Variant>[] = [];
  try {
    for (const [index, step] of processor.steps.entries()) {
      const startedMs = performance.now();
      const seen = stepContext(context, meter.begin(index), publishing);
      await checkAbortAfter(context.signal, () => step.run(state, seen));
      hooks.stepEnded?.(step.name, performance.now() - startedMs);
    }
    await checkAbortAfter(context.signal, () => Promise.all(publishing));
    return processor.result(state);
  } finally {
    meter.stop();
    await Promise.allSettled(publishing);
    processor.end?.(state);
  }
}

/** Member by member: a spread would lose the methods of a context that is a class. */
function stepContext(
  context: PipelineContext,
  reportFraction: (fraction: number) => void,
  publishing: Promise<Variant>[],
): StepContext {
  return {
    upload: context.upload,
    inputPath: context.inputPath,
    signal: context.signal,
    reportFraction,
    publishVariant(variant, bytes) {
      const published = context.publishVariant(variant, bytes);
      // Heard of at the end, if not by the step.
      published.catch(() => undefined);
      publishing.push(published);
      return published;
    },
    publishFile: async (file, chunks) => await context.publishFile(file, chunks),
  };
}

/** A cancelled upload loses its files under the work's feet: the cancel is the cause then, not the missing file. */
async function checkAbortAfter(signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  signal.throwIfAborted();
}

interface Meter {
  /** Reports the step's start; what is returned reports from inside it and goes deaf when the step is over. */
  begin(index: number): (fraction: number) => void;
  stop(): void;
}

function createMeter<State>(steps: readonly Step<State>[], state: State, hooks: PipelineHooks): Meter {
  let current = -1;
  let reached = 0;

  return {
    begin(index) {
      const step = steps[index];
      if (step === undefined) {
        throw new RangeError(`no step ${index}`);
      }
      const weights = steps.map(({ weight }) => (typeof weight === 'number' ? weight : weight(state)));
      const sumBefore = (end: number) => weights.slice(0, end).reduce((sum, weight) => sum + weight, 0);
      const [before, after, total] = [sumBefore(index), sumBefore(index + 1), sumBefore(steps.length)];
      current = index;
      // Weights that have changed meanwhile may say that less is done; what was told stands.
      reached = Math.max(reached, before / total);
      hooks.report({ stage: step.name, fraction: reached });
      return (fraction) => {
        const next = (before + (after - before) * Math.min(1, fraction)) / total;
        if (index === current && next > reached) {
          reached = next;
          hooks.report({ stage: step.name, fraction: reached });
        }
      };
    },
    stop() {
      current = -1;
    },
  };
}
