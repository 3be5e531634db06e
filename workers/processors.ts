import type { TableLimits } from '../src/settings/config.ts';
import type { Kind } from '../src/kinds/kind.ts';
import type { Kinds } from '../src/kinds/kinds.ts';
import { pictureKind } from '../src/kinds/picture.ts';
import type { PictureOptions } from '../src/kinds/picture-options.ts';
import { table } from '../src/kinds/table.ts';
import { PASSED_TIME } from './charged-time.ts';
import { createPictureProcessor } from './picture/processor.ts';
import { runPipeline, type PipelineContext, type PipelineHooks } from './pipeline.ts';
import type { AnyResult, Processor } from './processor.ts';
import { createTableProcessor } from './table/processor.ts';

/** Runs the pipeline of one processor. Rejects as `runPipeline` does. */
export type RunProcessor = (context: PipelineContext, hooks: PipelineHooks) => Promise<AnyResult>;

/** A file kind with its processor. */
export interface ProcessorEntry {
  readonly kind: string;
  readonly types: readonly string[];
  readonly run: RunProcessor;
  /**
   * Set if `run` always uses a separate process and enforces this limit in ms itself. Undefined: it runs in this
   * process.
   */
  readonly separateLimitMs?: number;
  /** True if `run` can only run in this process, even for a file that has killed workers. */
  readonly isOnlyHere?: boolean;
  /** The same as in `Processor`. */
  readonly abandonedCalls?: () => number;
}

/** The processors by media type. */
export interface ProcessorTable {
  /** The names of all kinds. */
  readonly kinds: readonly string[];
  /** All kinds of files that the service accepts. Default: those of the settings. */
  readonly accepted?: Kinds;
  /** Finds the entry for a media type as determined from the bytes. Undefined if no processor takes it. */
  find(type: string): ProcessorEntry | undefined;
  /** The number of abandoned calls of all processors. */
  abandonedCalls(): number;
}

interface ProcessorSettings {
  readonly pictureMaxPixels: number;
  readonly pictureMaxFrames: number;
  readonly pictureMaxOutputPixels: number;
  readonly pictureStepTimeoutMs: number;
  /** Options for uploads whose records come from an older version, which had no options. */
  readonly pictureOptions: PictureOptions;
  /** Default: the limits in the settings. */
  readonly tableLimits?: TableLimits;
}

/**
 * Creates all processors of the service. To add one, add a folder beside `picture/` and a line here. `clock` measures
 * their steps. `others` are the processors of the modules and manifests in `PROCESSORS`.
 */
export function createProcessors(
  settings: ProcessorSettings,
  clock = PASSED_TIME,
  others: readonly ProcessorEntry[] = [],
): ProcessorTable {
  const limits = {
    maxPixels: settings.pictureMaxPixels,
    maxFrames: settings.pictureMaxFrames,
    maxOutputPixels: settings.pictureMaxOutputPixels,
    stepTimeoutMs: settings.pictureStepTimeoutMs,
  };
  // Accepts HEIC with every setting, because an upload may have been accepted before the setting was changed.
  const picture = pictureKind({ defaults: settings.pictureOptions });
  return createProcessorTable([
    processorEntry(picture, createPictureProcessor(limits, picture, clock)),
    processorEntry(table, createTableProcessor(settings.tableLimits)),
    ...others,
  ]);
}

/** Pairs a kind with its processor. Throws if their names differ, because a result would name the wrong kind. */
export function processorEntry<State>(
  kind: Pick<Kind<unknown>, 'name' | 'types'>,
  processor: Processor<State, AnyResult>,
): ProcessorEntry {
  if (kind.name !== processor.kind) {
    throw new Error(`kind ${kind.name} is paired with a processor of ${processor.kind}`);
  }
  return {
    kind: kind.name,
    types: kind.types,
    run: async (context, hooks) => await runPipeline(processor, context, hooks),
    abandonedCalls: () => processor.abandonedCalls?.() ?? 0,
  };
}

/** Throws if two processors take the same type. */
export function createProcessorTable(entries: readonly ProcessorEntry[]): ProcessorTable {
  const byType = new Map<string, ProcessorEntry>();
  for (const entry of entries) {
    for (const type of entry.types) {
      const other = byType.get(type);
      if (other !== undefined) {
        throw new Error(`${type} is taken by both ${other.kind} and ${entry.kind}`);
      }
      byType.set(type, entry);
    }
  }
  return {
    kinds: entries.map(({ kind }) => kind),
    find: (type) => byType.get(type),
    abandonedCalls: () => entries.reduce((sum, entry) => sum + (entry.abandonedCalls?.() ?? 0), 0),
  };
}
