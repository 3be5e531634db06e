import type { DerivedFile, Result, Variant } from '../src/wire/documents.ts';

/** The members that every result has. */
export interface AnyResult {
  readonly kind: string;
}

/** A derived file that is not a picture. */
export interface NewFile {
  /** The last part of its URL, and the name under which it is saved: letters, digits, dots and dashes. */
  readonly name: string;
  readonly format: string;
  /** Media type. */
  readonly type: string;
}

/** One upload, for the steps of its processor. */
export interface StepContext {
  readonly upload: {
    readonly id: string;
    readonly publicId: string;
    readonly type: string;
    readonly sizeBytes: number;
    readonly options: unknown;
  };
  /** Path of the uploaded bytes on this machine. Do not write to it. */
  readonly inputPath: string;
  /** Fires when the upload is cancelled or deleted, when another attempt has taken over, or at shutdown. */
  readonly signal: AbortSignal;
  /** Reports how much of the current step is done, 0 to 1. Cheap, because frequent reports are throttled later. */
  reportFraction(fraction: number): void;
  /**
   * Stores a derived file under this attempt's own path. Resolves when it is durable.
   * `GET /variants/{publicId}/{name}` answers with it some milliseconds later. A step need not wait for either, because
   * the run waits for it.
   */
  publishVariant(variant: Omit<Variant, 'size' | 'url'>, bytes: Buffer): Promise<Variant>;
  /**
   * Like `publishVariant`, for a file of any size and type, which is written while its chunks are made. The chunks must
   * not change afterwards. If `chunks` throws, this rejects with its error and nothing of the file is left.
   */
  publishFile(file: NewFile, chunks: AsyncIterable<Buffer>): Promise<DerivedFile>;
}

/** One step of a processor. The steps share a state whose type the processor defines. */
export interface Step<State> {
  /** The name of the step, which becomes the stage of the progress. */
  readonly name: string;
  /**
   * Share of the work in proportion to the other steps. Measure it. A function is called whenever a step begins,
   * because the first steps may find out how much work there is.
   */
  readonly weight: number | ((state: State) => number);
  /** Throws `UnprocessableError` for a file that no retry can fix. Any other error counts as a fault of the service. */
  run(state: State, context: StepContext): Promise<void>;
}

/** An ordered list of steps that turns one kind of file into a result. */
export interface Processor<State, Made extends AnyResult = Result> {
  readonly kind: string;
  readonly steps: readonly Step<State>[];
  /** Creates the state of one attempt. */
  begin(): State;
  /** Called once, after the last step. */
  result(state: State): Made;
  /** Releases the resources of the state. Called after success, failure and abort. */
  end?(state: State): void;
  /** Number of native calls that still hold a thread of this process although nothing waits for them. Default 0. */
  abandonedCalls?(): number;
}
