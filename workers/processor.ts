import type { DerivedFile, Result, Variant } from '../src/wire/documents.ts';

/** What every result says of itself. */
export interface AnyResult {
  readonly kind: string;
}

/** A derived file that is no picture. */
export interface NewFile {
  /** In its address, and under which it is saved: letters, digits, dots and dashes. */
  readonly name: string;
  readonly format: string;
  /** Media type. */
  readonly type: string;
}

/** One upload as a step sees it. */
export interface StepContext {
  readonly upload: {
    readonly id: string;
    readonly publicId: string;
    readonly type: string;
    readonly sizeBytes: number;
    readonly options: unknown;
  };
  /** The uploaded bytes as a file of this machine; not to be written to. */
  readonly inputPath: string;
  /** Fires when the upload is cancelled or deleted, when another attempt has taken over, or at shutdown. */
  readonly signal: AbortSignal;
  /** Says how much of the present step is done, 0 to 1. Cheap: what is too frequent is dropped further down. */
  reportFraction(fraction: number): void;
  /**
   * Stores a derived file under this attempt's own path and announces it: from then on
   * `GET /variants/{publicId}/{name}` answers with it. Resolves when it is durable and announced; a step need not
   * wait for that, since no run ends before.
   */
  publishVariant(variant: Omit<Variant, 'size' | 'url'>, bytes: Buffer): Promise<Variant>;
  /**
   * As `publishVariant`, for a file of any size and kind, which is written while its chunks are made. The chunks must
   * not change afterwards. What they throw is thrown on, and nothing is left of the file then.
   */
  publishFile(file: NewFile, chunks: AsyncIterable<Buffer>): Promise<DerivedFile>;
}

/** One step of a processor. Steps share a state of the processor's own. */
export interface Step<State> {
  /** Shown to people as the stage. */
  readonly name: string;
  /**
   * Share of the work in proportion to the other steps; measured, not guessed. A function is asked whenever a step
   * begins, since the first steps may find out how much there is to do.
   */
  readonly weight: number | ((state: State) => number);
  /** Throws `UnprocessableError` for a file that no retry can fix; anything else is a fault of ours. */
  run(state: State, context: StepContext): Promise<void>;
}

/** An ordered list of steps that turns one kind of file into a result. */
export interface Processor<State, Made extends AnyResult = Result> {
  readonly kind: string;
  readonly steps: readonly Step<State>[];
  /** A fresh state for one attempt. */
  begin(): State;
  /** Called once, after the last step. */
  result(state: State): Made;
  /** Lets go of what the state holds; called for every ending. */
  end?(state: State): void;
  /** Native calls that nobody waits for any more and that hold a thread of this process; default none. */
  abandonedCalls?(): number;
}
