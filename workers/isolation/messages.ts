import type { DerivedFile, Variant } from '../../src/wire/documents.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { PipelineReport } from '../pipeline.ts';
import type { AnyResult, NewFile, StepContext } from '../processor.ts';
import type { PulledChunk } from './pull-chunks.ts';

/** Messages from the worker to the isolated process. */
export type ToIsolated =
  | { readonly type: 'run'; readonly upload: StepContext['upload']; readonly inputPath: string }
  | { readonly type: 'abort' }
  /** The answer to `publish` and `publish-file`. Without `file`, publishing has failed. */
  | { readonly type: 'published'; readonly number: number; readonly file?: Variant | DerivedFile }
  /** Requests the next chunk of a `publish-file`. */
  | { readonly type: 'next'; readonly number: number };

/** How a run ended, unless it crashed its process. */
export type IsolatedOutcome =
  | { readonly type: 'done'; readonly result: AnyResult }
  | { readonly type: 'unprocessable'; readonly code: ErrorCode; readonly detail: string; readonly cause: string }
  | { readonly type: 'fault'; readonly stack: string; readonly isOfDependency: boolean };

/** Messages from the isolated process to the worker. If the process dies after `begun`, the file is to blame. */
export type FromIsolated =
  | { readonly type: 'begun' }
  | { readonly type: 'report'; readonly report: PipelineReport }
  | { readonly type: 'step-ended'; readonly stage: string; readonly durationMs: number }
  | {
      readonly type: 'publish';
      readonly number: number;
      readonly variant: Omit<Variant, 'size' | 'url'>;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'publish-file'; readonly number: number; readonly file: NewFile }
  /** The answer to `next`. */
  | { readonly type: 'chunk'; readonly number: number; readonly chunk: PulledChunk }
  | IsolatedOutcome;
