import type { Result, Variant } from '../src/api.ts';

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
   * `GET /variants/{publicId}/{name}` answers with it. Resolves when it is durable and announced.
   */
  publishVariant(variant: Omit<Variant, 'size' | 'url'>, bytes: Buffer): Promise<Variant>;
}

/** One step of a processor. Steps share a state of the processor's own. */
export interface Step<State> {
  /** Shown to people as the stage. */
  readonly name: string;
  /** Share of the work in proportion to the other steps; measured, not guessed. */
  readonly weight: number;
  /** Throws `UnprocessableError` for a file that no retry will mend; anything else is a fault of ours. */
  run(state: State, context: StepContext): Promise<void>;
}

/** An ordered list of steps that turns one kind of file into a result. */
export interface Processor<State> {
  readonly kind: string;
  readonly steps: readonly Step<State>[];
  /** A fresh state for one attempt. */
  begin(): State;
  /** Called once, after the last step. */
  result(state: State): Result;
  /** Lets go of what the state holds; called for every ending. */
  end?(state: State): void;
  /** Native calls that nobody waits for any more and that hold a thread of this process; default none. */
  abandonedCalls?(): number;
}
