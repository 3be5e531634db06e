import type { DerivedFile, Variant } from '../../src/wire/documents.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { PipelineReport } from '../pipeline.ts';
import type { AnyResult, NewFile, StepContext } from '../processor.ts';
import type { PulledChunk } from './pull-chunks.ts';

/** What the worker says to the process that runs one file alone. */
export type ToIsolated =
  | { readonly type: 'run'; readonly upload: StepContext['upload']; readonly inputPath: string }
  | { readonly type: 'abort' }
  /** Answers a `publish` or a `publish-file`; without a file it was not to be. */
  | { readonly type: 'published'; readonly number: number; readonly file?: Variant | DerivedFile }
  /** Asks for the next chunk of a `publish-file`. */
  | { readonly type: 'next'; readonly number: number };

/** How the run ended, where it did not end its process. */
export type IsolatedOutcome =
  | { readonly type: 'done'; readonly result: AnyResult }
  | { readonly type: 'unprocessable'; readonly code: ErrorCode; readonly detail: string; readonly cause: string }
  | { readonly type: 'fault'; readonly stack: string };

/** What that process says. `begun`: from here on its death is the file's doing. */
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
  /** Answers a `next`. */
  | { readonly type: 'chunk'; readonly number: number; readonly chunk: PulledChunk }
  | IsolatedOutcome;
