import type { TableLimits } from '../src/settings/config.ts';
import type { Kind } from '../src/kinds/kind.ts';
import { pictureKind } from '../src/kinds/picture.ts';
import type { PictureOptions } from '../src/kinds/picture-options.ts';
import { table } from '../src/kinds/table.ts';
import { PASSED_TIME } from './charged-time.ts';
import { createPictureProcessor } from './picture/processor.ts';
import { runPipeline, type PipelineContext, type PipelineHooks } from './pipeline.ts';
import type { AnyResult, Processor } from './processor.ts';
import { createTableProcessor } from './table/processor.ts';

/** A pipeline with its processor filled in; rejects as `runPipeline` does. */
export type RunProcessor = (context: PipelineContext, hooks: PipelineHooks) => Promise<AnyResult>;

/** A kind of file together with what is done with it. */
export interface ProcessorEntry {
  readonly kind: string;
  readonly types: readonly string[];
  readonly run: RunProcessor;
  /** See `Processor`. */
  readonly abandonedCalls?: () => number;
}

/** Which processor takes what. */
export interface ProcessorTable {
  /** By media type as sniffed from the bytes; undefined where no processor takes it. */
  find(type: string): ProcessorEntry | undefined;
  /** Of all processors. */
  abandonedCalls(): number;
}

/** What processors are told at start; part of the settings. */
export interface ProcessorSettings {
  readonly pictureMaxPixels: number;
  readonly pictureMaxFrames: number;
  readonly pictureMaxOutputPixels: number;
  readonly pictureStepTimeoutMs: number;
  /** For records that were made before there were options. */
  readonly pictureOptions: PictureOptions;
  /** Default: those of the settings. */
  readonly tableLimits?: TableLimits;
}

/** Every processor of the service: a further one is a folder beside `picture/` and a line here. `clock` measures their steps. */
export function createProcessors(settings: ProcessorSettings, clock = PASSED_TIME): ProcessorTable {
  const limits = {
    maxPixels: settings.pictureMaxPixels,
    maxFrames: settings.pictureMaxFrames,
    maxOutputPixels: settings.pictureMaxOutputPixels,
    stepTimeoutMs: settings.pictureStepTimeoutMs,
  };
  const picture = pictureKind(settings.pictureOptions);
  return createProcessorTable([
    processorEntry(picture, createPictureProcessor(limits, picture, clock)),
    processorEntry(table, createTableProcessor(settings.tableLimits)),
  ]);
}

/** Pairs a kind with its processor. Throws where their names differ: a result would claim the wrong kind. */
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

/** Throws where two processors take the same type. */
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
    find: (type) => byType.get(type),
    abandonedCalls: () => entries.reduce((sum, entry) => sum + (entry.abandonedCalls?.() ?? 0), 0),
  };
}
