import type { Variant } from '../src/wire/documents.ts';
import type { AnyResult, Processor, Step, StepContext } from './processor.ts';

/** The part of a step's context that the caller supplies. The pipeline adds `reportFraction`. */
export type PipelineContext = Omit<StepContext, 'reportFraction'>;

/** Progress of the processing. */
export interface PipelineReport {
  /** Name of the running step. */
  readonly stage: string;
  /** Share of the whole processing that is done, 0 to 1. It never goes down within one run. */
  readonly fraction: number;
}

/** Receivers of the pipeline's events. */
export interface PipelineHooks {
  /** Called at the start of each step and for each fraction that a step reports. Not throttled. */
  report(report: PipelineReport): void;
  /** Called after each successful step, for logs and metrics. */
  stepEnded?(stage: string, durationMs: number): void;
  /** Called with the output of a program or module, for the log at level `debug`. */
  printed?(output: string): void;
}

/**
 * Runs the steps in order and returns the result. If the signal has fired by the end of a step, it rejects with the
 * signal's reason, even if the step threw another error. Otherwise it rejects with the error of the step. In all cases
 * every write to the storage has ended and the processor's `end` was called.
 */
export async function runPipeline<State, Result extends AnyResult>(
  processor: Processor<State, Result>,
  context: PipelineContext,
  hooks: PipelineHooks,
): Promise<Result> {
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

/** Copies member by member, because a spread would lose the methods of a context that is a class. */
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
      // A rejection is reported at the end of the run, if the step does not wait for it.
      published.catch(() => undefined);
      publishing.push(published);
      return published;
    },
    publishFile: async (file, chunks) => await context.publishFile(file, chunks),
  };
}

/**
 * Runs the work of a step. If the signal fires during it, throws the reason of the signal: a cancel removes the files
 * of the step, and the missing file would be the wrong error.
 */
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
  /** Reports the start of the step. The returned function reports fractions of it, and does nothing after its end. */
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
      // Weights may have changed so that less is done. The reported fraction never goes down.
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
