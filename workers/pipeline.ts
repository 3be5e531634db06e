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
 * is over after it fired, whatever that step did; else with what the step threw. The processor's
 * `end` is called for every ending.
 */
export async function runPipeline<State, Made extends AnyResult>(
  processor: Processor<State, Made>,
  context: PipelineContext,
  hooks: PipelineHooks,
): Promise<Made> {
  context.signal.throwIfAborted();
  const meter = createMeter(processor.steps, hooks);
  const state = processor.begin();
  try {
    for (const [index, step] of processor.steps.entries()) {
      const startedMs = performance.now();
      await runStep(step, state, withMeter(context, meter.begin(index)));
      hooks.stepEnded?.(step.name, performance.now() - startedMs);
    }
    return processor.result(state);
  } finally {
    meter.stop();
    processor.end?.(state);
  }
}

/** Member by member: a spread would lose the methods of a context that is a class. */
function withMeter(context: PipelineContext, reportFraction: (fraction: number) => void): StepContext {
  return {
    upload: context.upload,
    inputPath: context.inputPath,
    signal: context.signal,
    reportFraction,
    publishVariant: async (variant, bytes) => await context.publishVariant(variant, bytes),
    publishFile: async (file, chunks) => await context.publishFile(file, chunks),
  };
}

async function runStep<State>(step: Step<State>, state: State, context: StepContext): Promise<void> {
  try {
    await step.run(state, context);
  } catch (error) {
    // A cancelled upload loses its files under the step's feet: the cancel is the cause, not the missing file.
    context.signal.throwIfAborted();
    throw error;
  }
  context.signal.throwIfAborted();
}

interface Meter {
  /** Reports the step's start; what is returned reports from inside it and goes deaf when the step is over. */
  begin(index: number): (fraction: number) => void;
  stop(): void;
}

function createMeter(steps: readonly Pick<Step<unknown>, 'name' | 'weight'>[], hooks: PipelineHooks): Meter {
  const total = steps.reduce((sum, step) => sum + step.weight, 0);
  let current = -1;
  let reached = 0;

  return {
    begin(index) {
      const step = steps[index];
      const before = steps.slice(0, index).reduce((sum, earlier) => sum + earlier.weight, 0);
      if (step === undefined) {
        throw new RangeError(`no step ${index}`);
      }
      current = index;
      reached = Math.max(reached, before / total);
      hooks.report({ stage: step.name, fraction: reached });
      return (fraction) => {
        const next = Math.min(1, (before + step.weight * fraction) / total, (before + step.weight) / total);
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
